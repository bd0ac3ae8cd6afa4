"""``[plugins.entries.<entry>.auth]``: what is read, what is refused, and what is shown of it."""

from __future__ import annotations

import pytest

from gatehook import GatehookError
from gatehook.config import config_from
from gatehook.config import parse_config
from gatehook.config import shown
from gatehook.config.auth import Grant
from gatehook.secrets import SecretReference

ISSUER = "https://auth.example"
WHOLE = {
    "grant": "client_credentials",
    "issuer": ISSUER,
    "client_id": "gateway",
    "client_secret": {"env": "THE_SECRET"},
}


def config_of(auth):
    return config_from({"plugins": {"entries": {"mt5": {"auth": auth}}}})


def without(name, **more):
    return {**{key: value for key, value in WHOLE.items() if key != name}, **more}


def test_credentials_are_read_and_shown_as_references():
    config = config_of(WHOLE)
    auth = config.plugins.entries["mt5"].auth
    assert (auth.grant, auth.client_secret) == (Grant.CLIENT_CREDENTIALS, SecretReference("env", "THE_SECRET"))
    assert shown(config)["plugins"]["entries"]["mt5"]["auth"]["client_secret"] == {"env": "THE_SECRET"}
    assert config.explain("plugins.entries.mt5.auth.issuer").value == ISSUER


def test_an_empty_table_is_a_persons_grant():
    assert config_of({}).plugins.entries["mt5"].auth.grant is Grant.AUTHORIZATION_CODE
    assert config_from({"plugins": {"entries": {"mt5": {}}}}).plugins.entries["mt5"].auth is None


def test_a_secrets_file_is_relative_to_the_configuration(tmp_path):
    text = '[plugins.entries.mt5.auth]\ngrant = "client_credentials"\nissuer = "https://auth.example"\n'
    text += 'client_id = "gateway"\nprivate_key = { file = "key.pem" }\nsigning = "ES256"\n'
    config = parse_config(text.encode(), path=tmp_path / "gatehook.toml")
    assert config.plugins.entries["mt5"].auth.private_key.name == str(tmp_path / "key.pem")


@pytest.mark.parametrize(
    ("auth", "says"),
    [
        (without("client_id"), "auth.client_id"),
        (without("client_secret"), "auth.client_secret"),
        ({**WHOLE, "private_key": {"env": "KEY"}}, "auth.client_secret"),
        (without("issuer"), "auth.issuer"),
        (without("client_id", grant="authorization_code"), "auth.client_id"),
        ({"private_key": {"env": "KEY"}, "issuer": ISSUER}, "auth.private_key"),
        ({**WHOLE, "assertion": {"file": "jag"}}, "auth.assertion"),
        ({**WHOLE, "grant": "identity_assertion"}, "auth.assertion"),
        (
            without("client_secret", grant="identity_assertion", private_key={"env": "K"}, assertion={"file": "jag"}),
            "auth.private_key",
        ),
        ({"client_metadata_url": "http://gateway.example/client.json"}, "auth.client_metadata_url"),
        ({"redirect_port": 70000}, "auth.redirect_port"),
        ({"grant": "implicit"}, "auth.grant"),
        ({"client_secrt": {"env": "X"}}, "auth.client_secrt"),
        ({**WHOLE, "client_secret": "in-clear-text"}, "auth.client_secret"),
        ("yes", "plugins.entries.mt5.auth"),
    ],
)
def test_what_does_not_fit_is_named_and_no_secret_is_quoted(auth, says):
    with pytest.raises(GatehookError, match=says) as caught:
        config_of(auth)
    assert "in-clear-text" not in str(caught.value)

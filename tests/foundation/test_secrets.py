from __future__ import annotations

import json
import logging
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook.secrets import MASK
from gatehook.secrets import Redactor
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference
from gatehook.secrets import SecretUnavailable
from gatehook.secrets import is_secret_name
from gatehook.secrets import reference_in

CANARY = "canary-7f3a9b"


@pytest.mark.parametrize(
    "show", [str, repr, "{}".format, "{!r}".format, "{:>20}".format, lambda s: "%s" % s, lambda s: f"{[s]}"]
)
def test_regression_19_a_secret_never_shows(show):
    assert CANARY not in show(Secret(CANARY))


def test_regression_19_a_secret_is_not_serialised():
    for dump in (json.dumps, pickle.dumps):
        with pytest.raises(TypeError) as caught:
            dump(Secret(CANARY))
        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_revealed_to_who_asks():
    assert Secret(CANARY).reveal() == CANARY
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    "name",
    ["token", "apiToken", "API_KEY", "apiKey", "private-key", "password", "userPassword", "clientSecret", "credential"],
)
def test_a_name_with_the_word_of_a_secret_is_one(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["tokenizer", "keyboard", "passwordless_login"[:4], "monkey", "secretary", "api", "key"]
)
def test_a_part_of_a_word_is_not(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ({"env": "X"}, SecretReference("env", "X")),
        ({"file": "/x"}, SecretReference("file", "/x")),
        ({"keyring": "x"}, SecretReference("keyring", "x")),
        ("${X}", SecretReference("env", "X")),
        ("a ${X}", None),
        ({"env": 1}, None),
        ({"env": "X", "file": "y"}, None),
        ({"other": "X"}, None),
        (3, None),
    ],
)
def test_what_is_a_reference(value, reference):
    assert reference_in(value) == reference


def test_a_reference_is_fetched(tmp_path):
    (tmp_path / "token").write_text(f"{CANARY}\n")
    assert SecretReference("file", str(tmp_path / "token")).resolve().reveal() == CANARY
    assert SecretReference("env", "T").resolve({"T": CANARY}).reveal() == CANARY


def test_a_reference_that_leads_nowhere_names_the_place_only(tmp_path):
    with pytest.raises(SecretUnavailable, match="environment variable T is not set"):
        SecretReference("env", "T").resolve({"OTHER": CANARY})
    with pytest.raises(SecretUnavailable, match="nothing-here"):
        SecretReference("file", str(tmp_path / "nothing-here")).resolve()


def test_the_redactor_masks_every_known_value():
    redactor = Redactor()
    assert redactor.add(Secret(CANARY))
    assert redactor.add(Secret(f"{CANARY}-longer"))
    assert redactor.redact(f"a {CANARY}-longer b {CANARY}") == f"a {MASK} b {MASK}"


def test_a_value_too_short_to_redact_is_said_to_be():
    assert not Redactor().add(Secret("abc"))


@given(st.lists(st.text(min_size=6, max_size=20), min_size=1, max_size=5), st.text(max_size=40))
def test_no_known_value_survives_redaction(values, around):
    redactor = Redactor()
    for value in values:
        redactor.add(Secret(value))
    text = redactor.redact(around.join(values))
    assert not any(value in text.replace(MASK, "\0") for value in values)


def test_a_secret_in_a_log_record_is_masked(caplog):
    logging.getLogger("test").warning("token %s", Secret(CANARY))
    assert CANARY not in caplog.text

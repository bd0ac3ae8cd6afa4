"""Tokens of a session: got, renewed, refused, kept; against a scripted server that says what it is told."""

from __future__ import annotations

import json
import logging
import stat
import time

import anyio
import attrs
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatehook.catalog.manifest import Transport
from gatehook.config.auth import AuthConfig
from gatehook.config.auth import Grant
from gatehook.config.auth import Signing
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied
from gatehook.runtimes.mcp import McpAuth
from gatehook.runtimes.mcp import McpState
from gatehook.runtimes.mcp import oauth
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of
from tests.runtimes.mcp.conftest import until
from tests.runtimes.mcp.guarded_server import Guarded
from tests.runtimes.mcp.http_server import serving

pytestmark = pytest.mark.anyio

SECRET = "the-clients-secret"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
async def guard():
    made = Guarded()
    async with serving(made.handle) as port:
        made.port = port
        yield made


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tokens" / "mt5.json"


def unattended(guard, **more):
    config = AuthConfig(
        grant=Grant.CLIENT_CREDENTIALS,
        issuer=guard.issuer,
        client_id="gateway",
        client_secret=SecretReference("env", "X"),
        **more,
    )
    return McpAuth(config=config, client_secret=Secret(SECRET))


def attended(guard, file, *, tokens=True, ends=-60, **more):
    """Return a person's grant whose tokens were kept earlier."""
    if tokens:
        file.parent.mkdir(mode=0o700)
        kept = {"access_token": "old-access-token", "token_type": "Bearer", "refresh_token": "old-refresh-token"}
        record = {
            "schemaVersion": 1,
            "for": {"server": f"{guard.issuer}/mcp", "issuer": None, "client": "gateway"},
            "tokens": kept,
            "endsAt": int(time.time()) + ends,
            "metadata": {
                "issuer": guard.issuer,
                "authorization_endpoint": f"{guard.issuer}/authorize",
                "token_endpoint": f"{guard.issuer}/token",
                "response_types_supported": ["code"],
            },
            **more,
        }
        file.write_text(json.dumps(record))
        file.chmod(0o600)
    return McpAuth(config=AuthConfig(client_id="gateway"), file=file)


def over(guard, auth, **more):
    return spec_of(url=f"{guard.issuer}/mcp", transport=Transport.STREAMABLE_HTTP, auth=auth, **more)


def renewing(guard, **more):
    def tells(form):
        assert form["refresh_token"].endswith("refresh-token"), form
        return guard.gives(form, refresh_token=f"{len(guard.forms)}-refresh-token", **more)

    return tells


async def test_credentials_get_a_token_and_go_to_their_issuer_only(guard, caplog):
    caplog.set_level(logging.DEBUG)
    guard.tells = guard.gives
    async with running(over(guard, unattended(guard), headers={"x-key": "for-the-server"})) as session:
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
        (form,) = guard.forms
        assert (form["grant_type"], form["resource"]) == ("client_credentials", f"{guard.issuer}/mcp")
        described = [one for one in guard.requests if one.path.startswith("/.well-known/")]
        assert described
        assert not any("x-key" in one.headers for one in described)
        assert all(one.headers["x-key"] == "for-the-server" for one in guard.asked("tools/call"))
        shown = repr(session.status) + caplog.text
    assert not any(one in shown for one in (SECRET, *guard.tokens))


def signing(guard, pem):
    config = attrs.evolve(
        unattended(guard).config,
        client_secret=None,
        private_key=SecretReference("file", "key.pem"),
        signing=Signing.ES256,
    )
    return McpAuth(config=config, private_key=Secret(pem))


async def test_a_key_signs_for_the_issuer_and_does_not_leave(guard):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    guard.tells = guard.gives
    async with running(over(guard, signing(guard, pem))) as session:
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
    (form,) = guard.forms
    claims = jwt.decode(form["client_assertion"], key.public_key(), ["ES256"], audience=guard.issuer)
    assert (claims["iss"], claims["sub"]) == ("gateway", "gateway")


async def test_a_key_that_is_none_is_refused_without_a_word_of_it(guard, caplog):
    caplog.set_level(logging.DEBUG)
    async with running(over(guard, signing(guard, "-----BEGIN canary-canary")), wait=False) as session:
        await until(session, McpState.UNAUTHORIZED)
        assert "canary" not in caplog.text + repr(session.status)
    assert not guard.forms


async def test_an_assertion_is_fetched_anew_for_each_token(guard):
    guard.tells = guard.gives
    fetched = []

    async def assertion(issuer, server):
        fetched.append((issuer, server))
        return f"assertion-{len(fetched)}"

    config = attrs.evolve(
        unattended(guard).config, grant=Grant.IDENTITY_ASSERTION, assertion=SecretReference("file", "jag")
    )
    auth = McpAuth(config=config, client_secret=Secret(SECRET), assertion=assertion)
    async with running(over(guard, auth)) as session:
        guard.tokens.clear()
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
        assert session.generation == 1
    assert [form["assertion"] for form in guard.forms] == ["assertion-1", "assertion-2"]
    assert fetched == [(guard.issuer, f"{guard.issuer}/mcp")] * 2


async def test_another_issuer_than_the_configured_one_gets_nothing(guard):
    guard.tells = guard.gives
    auth = unattended(guard)
    elsewhere = attrs.evolve(auth, config=attrs.evolve(auth.config, issuer="https://elsewhere.example"))
    async with running(over(guard, elsewhere), wait=False) as session:
        await until(session, McpState.UNAUTHORIZED)
        assert not guard.forms
        with pytest.raises(AuthError):
            await session.wait_connected(0)


async def test_a_server_that_refuses_without_any_authorization_says_so(guard):
    async with running(over(guard, None), wait=False) as session:
        await until(session, McpState.UNAUTHORIZED)
        assert session.status.reason == "HTTP status 401"
        with pytest.raises(AuthError, match="nothing was sent"):
            await session.call("echo", {"text": "hi"})


async def test_a_kept_token_that_has_ended_is_renewed_without_a_person(guard, file):
    guard.tells = renewing(guard)
    async with running(over(guard, attended(guard, file))) as session:
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
    assert [form["grant_type"] for form in guard.forms] == ["refresh_token"]
    assert json.loads(file.read_text())["tokens"]["refresh_token"] == "1-refresh-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_token_is_renewed_before_it_ends(guard, file):
    guard.tells = renewing(guard, expires_in=1)
    async with running(over(guard, attended(guard, file))) as session:
        with anyio.fail_after(10):
            while len(guard.forms) < 3:
                await session.call("echo", {"text": "hi"})
                await anyio.sleep(0.05)
        assert session.generation == 1
    assert guard.forms[2]["refresh_token"] == "2-refresh-token"


async def test_a_token_that_the_server_takes_no_longer_is_renewed_within_the_call(guard, file):
    guard.tells = renewing(guard)
    async with running(over(guard, attended(guard, file))) as session:
        guard.tokens.clear()
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
        assert (len(guard.forms), session.generation) == (2, 1)


async def test_many_calls_with_a_token_that_ended_renew_it_once(guard, file):
    guard.tells = renewing(guard)
    async with running(over(guard, attended(guard, file))) as session:
        guard.tokens.clear()
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(session.call, "echo", {"text": "hi"})
        assert len(guard.forms) == 2


async def test_a_call_that_gives_up_does_not_lose_a_renewed_token(guard, file):
    guard.tells = renewing(guard)
    asked, go = anyio.Event(), anyio.Event()

    async def slowly(request):
        if request.path == "/token" and guard.forms:
            asked.set()
            await go.wait()
        await guard.handle(request)

    async with serving(slowly) as port:
        guard.port = port
        async with running(over(guard, attended(guard, file))) as session:
            guard.tokens.clear()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.call, "echo", {"text": "hi"})
                await asked.wait()
                tasks.cancel_scope.cancel()
            go.set()
            assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)
    assert json.loads(file.read_text())["tokens"]["refresh_token"] == "2-refresh-token"


async def test_a_refused_renewal_waits_for_a_person_and_is_not_tried_for_ever(guard, file):
    async with running(over(guard, attended(guard, file)), wait=False) as session:
        await until(session, McpState.UNAUTHORIZED)
        assert "nobody has agreed" in session.status.reason
    assert "refresh_token" not in json.loads(file.read_text())["tokens"]
    assert len(guard.forms) == 1


async def test_an_authorization_server_that_does_not_work_needs_no_person(guard, file):
    guard.tells = lambda form: (503, {})
    async with running(over(guard, attended(guard, file)), wait=False) as session:
        await until(session, McpState.BACKOFF)
        assert "503" in session.status.reason
        assert "refresh_token" in json.loads(file.read_text())["tokens"]
        guard.tells = renewing(guard)
        await session.wait_connected(10)
        assert (await session.call("echo", {"text": "hi"})).texts == ("hi",)


async def test_one_that_hangs_is_not_waited_for(guard, monkeypatch):
    monkeypatch.setattr(oauth, "REQUEST_SECONDS", 0.2)

    async def silent(request):
        if request.path == "/token":
            await anyio.sleep_forever()
        await guard.handle(request)

    async with serving(silent) as port:
        guard.port = port
        async with running(over(guard, unattended(guard)), wait=False) as session:
            await until(session, McpState.BACKOFF)
            assert "did not answer within 0.2 s" in session.status.reason


async def test_an_endless_answer_is_not_read(guard):
    guard.tells = lambda form: (200, {"access_token": "x" * 300_000})
    async with running(over(guard, unattended(guard)), wait=False) as session:
        await until(session, McpState.BACKOFF)
        assert "over the cap" in session.status.reason


async def test_tokens_of_another_server_are_not_used(guard, file):
    whose = {"server": "https://elsewhere.example/mcp", "issuer": None, "client": "gateway"}
    async with running(over(guard, attended(guard, file, **{"for": whose})), wait=False) as session:
        await until(session, McpState.UNAUTHORIZED)
    assert not guard.forms
    assert not any("old-access-token" in one.headers.get("authorization", "") for one in guard.requests)


async def test_a_record_that_others_can_write_is_not_used(guard, file):
    auth = attended(guard, file)
    file.chmod(0o666)
    async with running(over(guard, auth), wait=False) as session:
        await until(session, McpState.FAILED)
        with pytest.raises(Denied, match="somebody else can write"):
            await session.wait_connected(0)


@pytest.mark.parametrize(
    ("address", "says"),
    [("https://169.254.169.254", "metadata service"), ("http://auth.example", "without TLS")],
)
async def test_the_address_of_an_authorization_server_is_checked(guard, address, says):
    async def leading_astray(request):
        if "protected-resource" in request.path:
            body = {"resource": f"{guard.issuer}/mcp", "authorization_servers": [address]}
            await request.respond(200, json.dumps(body).encode(), content_type="application/json")
        else:
            await guard.handle(request)

    async with serving(leading_astray) as port:
        guard.port = port
        async with running(over(guard, McpAuth(config=AuthConfig())), wait=False) as session:
            await until(session, McpState.FAILED)
            assert says in session.status.reason

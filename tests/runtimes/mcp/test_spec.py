"""What a manifest and an entry's configuration make of a session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp import McpSpec
from gatehook.secrets import Secret

ROOT = Path("/plugins/mt5")
SSE = ExternalMcp(
    transport=Transport.SSE, url="http://localhost:3000/sse?token=${config.token}&accounts=${config.accounts}"
)


def test_placeholders_are_filled_in_and_the_token_is_not_shown():
    spec = McpSpec.of(SSE, {"token": Secret("a b&c"), "accounts": ["1", "2"]}, ROOT)
    assert spec.url == "http://localhost:3000/sse?token=a%20b%26c&accounts=1,2"
    assert spec.shown == "http://localhost:3000/sse?…"
    assert "a%20b" not in repr(spec)
    assert spec.named_hosts == frozenset()


def test_the_session_has_a_table_of_its_own_and_names_its_host():
    table = {
        "url": "https://mt5.internal/mcp?key=${config.token}",
        "headers": {"x-key": Secret("k")},
        "env": {"TOKEN": Secret("t")},
        "allowedHosts": ["Other.Internal"],
        "callTimeout": 3,
        "startTimeout": 4.5,
        "maxResult": 1000,
    }
    spec = McpSpec.of(SSE, {"token": "t1", "mcp": table}, ROOT)
    assert spec.url == "https://mt5.internal/mcp?key=t1"
    assert spec.headers == {"x-key": "k"}
    assert spec.environment == {"TOKEN": "t"}
    assert spec.named_hosts == {"mt5.internal", "other.internal"}
    assert (spec.limits.call_timeout, spec.limits.start_timeout, spec.limits.max_result) == (3, 4.5, 1000)
    assert "TOKEN" not in repr(spec)


def test_a_host_that_is_a_placeholder_is_named_by_the_configuration():
    entry = ExternalMcp(transport=Transport.STREAMABLE_HTTP, url="https://${config.host}/mcp")
    assert McpSpec.of(entry, {"host": "10.0.0.9"}, ROOT).named_hosts == {"10.0.0.9"}


def test_arguments_of_a_command_are_filled_in():
    entry = ExternalMcp(transport=Transport.STDIO, command=("node", "server.mjs", "--port=${config.port}"))
    spec = McpSpec.of(entry, {"port": 7}, ROOT)
    assert spec.command == ("node", "server.mjs", "--port=7")
    assert spec.root == ROOT
    assert spec.shown == "node"


@pytest.mark.parametrize("value", [0, -1, True, "5"])
def test_a_limit_is_a_number_above_nothing(value):
    with pytest.raises(ValueError, match="above 0"):
        McpSpec.of(SSE, {"token": "t", "accounts": "1", "mcp": {"callTimeout": value}}, ROOT)


def test_a_placeholder_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        McpSpec.of(SSE, {"token": "t"}, ROOT)


def test_naming_a_session_imports_nothing_heavy():
    code = (
        "import sys; from gatehook.runtimes.mcp import McpSession, McpSpec, ToolPin; "
        "print([one for one in ('mcp', 'mcp_types', 'httpx2', 'pydantic', 'jsonschema') if one in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

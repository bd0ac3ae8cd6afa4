"""What a manifest and an entry's configuration make of a session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Transport
from gatehook.runtimes.mcp import McpSpec

ROOT = Path("/plugins/mt5")
SSE = ExternalMcp(transport=Transport.SSE, url="http://localhost:3000/sse?token=t1")


def test_what_follows_the_question_mark_is_not_shown():
    spec = McpSpec.of(SSE, {}, ROOT)
    assert spec.url == "http://localhost:3000/sse?token=t1"
    assert spec.shown == "http://localhost:3000/sse?…"
    assert "t1" not in repr(spec)
    assert spec.named_hosts == frozenset()


def test_the_session_has_a_table_of_its_own_for_its_bounds_alone():
    table = {"callTimeout": 3, "maxResult": 1000, "input": "decline", "url": "https://elsewhere", "env": {"A": "b"}}
    spec = McpSpec.of(SSE, {"mcp": table}, ROOT)
    assert (spec.limits.call_timeout, spec.limits.max_result, spec.inputs) == (3, 1000, "decline")
    assert (spec.url, spec.headers, spec.environment) == (SSE.url, {}, {})


def test_arguments_of_a_command_are_what_the_manifest_says():
    entry = ExternalMcp(transport=Transport.STDIO, command=("node", "server.mjs", "--port=${config.port}"))
    spec = McpSpec.of(entry, {"port": 7}, ROOT)
    assert (spec.command, spec.shown, spec.root) == (entry.command, "node", ROOT)


@pytest.mark.parametrize("value", [0, -1, True, "5"])
def test_a_limit_is_a_number_above_nothing(value):
    with pytest.raises(ValueError, match="above 0"):
        McpSpec.of(SSE, {"mcp": {"callTimeout": value}}, ROOT)


def test_naming_a_session_imports_nothing_heavy():
    code = (
        "import sys; from gatehook.runtimes.mcp import McpSession, McpSpec, ToolPin; "
        "print([one for one in ('mcp', 'mcp_types', 'httpx2', 'pydantic', 'jsonschema') if one in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

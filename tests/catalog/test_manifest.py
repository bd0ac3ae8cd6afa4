"""What a good manifest becomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatehook import GatehookError
from gatehook.catalog import ExternalMcp
from gatehook.catalog import Isolation
from gatehook.catalog import Manifest
from gatehook.catalog import NodeModule
from gatehook.catalog import PythonModule
from gatehook.catalog import Transport
from gatehook.catalog import manifest_from
from gatehook.catalog import parse_manifest
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.kind import Kind
from gatehook.kinds.orders import OrderType
from gatehook.kinds.prices import Timeframe
from tests.catalog.conftest import manifest_of

#: From the specification that started the project, word for word.
METAAPI = b"""{
  "id": "metaapi-mcp",
  "name": "MetaAPI MCP Connector",
  "version": "0.1.0",
  "kinds": ["connector.broker", "connector.marketData"],
  "entry": {
    "type": "external.mcp",
    "url": "http://localhost:3000/sse"
  },
  "configSchema": {
    "type": "object",
    "properties": {
      "token": { "type": "string", "description": "MetaAPI token" },
      "allowedAccounts": { "type": "array", "items": { "type": "string" } }
    },
    "required": ["token"]
  },
  "capabilities": {
    "orderTypes": ["market", "limit", "stop"],
    "supportsTrailingSL": true,
    "supportsTicks": true
  }
}
"""


def parsed(**changes: object) -> Manifest:
    manifest, diagnostics = parse_manifest(json.dumps(manifest_of(**changes)).encode(), Path("plugin.json"))
    assert diagnostics == ()
    assert manifest is not None
    return manifest


def test_the_manifest_of_the_specification_is_accepted_as_it_stands():
    manifest, diagnostics = parse_manifest(METAAPI, Path("plugin.json"))
    assert diagnostics == ()
    assert manifest is not None
    assert manifest.kinds == (Kind.BROKER, Kind.MARKET_DATA)
    assert manifest.entry == ExternalMcp(url="http://localhost:3000/sse", transport=Transport.SSE)
    assert manifest.capabilities.broker.order_types == (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)
    assert manifest.capabilities.broker.trailing_stop_loss
    assert manifest.capabilities.of(Kind.MARKET_DATA).ticks is True
    assert manifest.capabilities.memory is None
    assert manifest.config_schema["required"] == ["token"]


def test_everything_beyond_the_required_is_read():
    manifest = parsed(
        **{"$schema": "manifest.schema.json"},
        manifestVersion=1,
        description="Trades.\nCarefully.",
        authors=["A <a@example.com>"],
        license="MIT",
        homepage="https://example.com",
        requires={"api": ">=1.0,<2", "packages": ["attrs>=20"], "plugins": {"paper": ">=0.1"}},
        permissions={
            "network": ["api.example.com:443", "localhost", "[::1]:80"],
            "files": {"read": ["~/prices"], "write": ["/var/lib/x"]},
            "environment": ["HOME"],
            "processes": ["node", "/usr/bin/git"],
            "trading": True,
            "wrap": ["memory.backend"],
        },
        **{"x-mine": [1]},
    )
    assert manifest.description == "Trades.\nCarefully."
    assert (manifest.authors, manifest.license, manifest.homepage) == (
        ("A <a@example.com>",),
        "MIT",
        "https://example.com",
    )
    assert manifest.requires.plugins == {"paper": ">=0.1"}
    assert manifest.extra == {"x-mine": [1]}
    assert manifest.permissions.listed() == (
        "network:api.example.com:443",
        "network:localhost",
        "network:[::1]:80",
        "files.read:~/prices",
        "files.write:/var/lib/x",
        "environment:HOME",
        "processes:node",
        "processes:/usr/bin/git",
        "wrap:memory.backend",
        "trading",
    )


@pytest.mark.parametrize(
    ("entry", "expected", "runtime"),
    [
        ({"type": "python.module", "module": "a/b.py"}, PythonModule("a/b.py"), "python.module"),
        (
            {"type": "python.module", "module": "b.py", "isolation": "process"},
            PythonModule("b.py", Isolation.PROCESS),
            "python.module (process)",
        ),
        (
            {"type": "python.module", "module": "b.py", "isolation": "none"},
            PythonModule("b.py", Isolation.NONE),
            "python.module",
        ),
        ({"type": "node.module", "module": "index.mjs"}, NodeModule("index.mjs"), "node.module"),
        (
            {"type": "external.mcp", "url": "https://x/mcp", "adapter": "adapter.py"},
            ExternalMcp(url="https://x/mcp", transport=Transport.STREAMABLE_HTTP, adapter="adapter.py"),
            "external.mcp",
        ),
        (
            {"type": "external.mcp", "url": "https://x/mcp", "transport": "sse"},
            ExternalMcp(url="https://x/mcp", transport=Transport.SSE),
            "external.mcp",
        ),
        (
            {"type": "external.mcp", "command": ["node", "server.mjs"]},
            ExternalMcp(transport=Transport.STDIO, command=("node", "server.mjs")),
            "external.mcp",
        ),
    ],
)
def test_every_form_of_entry(entry, expected, runtime):
    found = parsed(entry=entry).entry
    assert found == expected
    assert found.runtime == runtime


def test_capabilities_are_typed():
    manifest = parsed(
        kinds=["connector.broker", "connector.marketData", "memory.backend"],
        capabilities={
            "absenceProof": "scan",
            "clientOrderIdLength": 20,
            "supportsTicks": "polled",
            "timeframes": ["1m", "1h"],
            "stemming": "english",
            "x-own": 1,
        },
    )
    assert manifest.capabilities.broker.absence_proof is AbsenceProof.SCAN
    assert manifest.capabilities.broker.client_order_id_length == 20
    assert manifest.capabilities.market_data.ticks == "polled"
    assert manifest.capabilities.market_data.timeframes == (Timeframe.M1, Timeframe.H1)
    assert manifest.capabilities.memory.stemming == "english"


@pytest.mark.parametrize("version", ["1", "0.1.0", "2.0.0rc1", "1.0.0+local", "1.0.0-beta.2"])
def test_versions(version):
    assert parsed(version=version).version == version


def test_a_program_embeds_a_plugin_without_entry():
    manifest = manifest_from({"id": "mine", "name": "Mine", "version": "1", "kinds": ("feed.external",)})
    assert manifest.entry is None
    assert manifest.kinds == (Kind.FEED,)


def test_an_embedded_manifest_says_everything_that_is_wrong():
    with pytest.raises(GatehookError) as caught:
        manifest_from({"id": "No", "kinds": []})
    assert {one.code for one in caught.value.diagnostics} == {
        "manifest.bad-id",
        "manifest.missing-key",
        "manifest.wrong-type",
    }


def test_an_embedded_manifest_is_json():
    with pytest.raises(GatehookError, match=r"manifest\.not-json"):
        manifest_from({"id": object()})

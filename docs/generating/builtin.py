"""The settings of the plugins that ship with Gatehook, from their manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gatehook.catalog import builtin_directory
from generating.tables import cell_code
from generating.tables import prose
from generating.tables import table

_HEADER = ("setting", "value", "default", "what it does")


def settings(plugin_id: str) -> str:
    """Return the settings of one plugin, those of lists' items among them."""
    manifest = json.loads((builtin_directory() / plugin_id / "plugin.json").read_text("utf-8"))
    return table(_HEADER, _rows(manifest["configSchema"], ""))


def paper() -> str:
    """Return the settings of the paper broker."""
    return settings("paper")


def simulated() -> str:
    """Return the settings of the simulated market."""
    return settings("simulated")


def replay() -> str:
    """Return the settings of the replay."""
    return settings("replay")


def hybrid_embeddings() -> str:
    """Return the settings of the memory with vectors, its embedder's among them."""
    schema = json.loads((builtin_directory() / "hybrid_embeddings" / "plugin.json").read_text("utf-8"))["configSchema"]
    return table(_HEADER, [*_rows(schema, ""), *_rows(schema["properties"]["embedder"], "embedder.")])


def sqlite_fts() -> str:
    """Return the settings of the memory."""
    return settings("sqlite_fts")


def tantivy() -> str:
    """Return the settings of the memory for a million documents."""
    return settings("tantivy")


def postgres() -> str:
    """Return the settings of the memory in PostgreSQL."""
    return settings("postgres")


def metaapi_mcp() -> str:
    """Return the settings of the MetaTrader broker."""
    return settings("metaapi_mcp")


def _rows(schema: Mapping[str, Any], prefix: str) -> list[tuple[str, str, str, str]]:
    rows = []
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        default = "required" if name in required else _default(one.get("default"))
        rows.append((cell_code(prefix + name), _value(one), default, prose(one.get("description", ""))))
        if one.get("items", {}).get("type") == "object":
            rows += _rows(one["items"], f"{prefix}{name}[].")
    return rows


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if value in ([], {}):
        return "empty"
    return "see below" if isinstance(value, list) else cell_code(json.dumps(value))


def _value(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(cell_code, schema["enum"]))
    if "x-gatehook-entry" in schema:
        return f"an entry of the kind {cell_code(schema['x-gatehook-entry'])}"
    words = {"string": "a string", "integer": "a whole number", "number": "a number", "object": "a table"}
    words["boolean"] = "true or false"
    if schema["type"] == "array":
        return "a list of tables" if schema["items"].get("type") == "object" else "a list of strings"
    is_decimal = (
        "[0-9]" in schema.get("pattern", "") and ":" not in schema["pattern"] and "A-Z" not in schema["pattern"]
    )
    return "a decimal number, as a string" if is_decimal else words[schema["type"]]

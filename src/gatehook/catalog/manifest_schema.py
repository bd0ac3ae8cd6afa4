"""The JSON Schema of ``plugin.json``, made from the same tables that read it.

It is published as ``docs/manifest.schema.json`` and ships with the package. The reader is stricter where JSON Schema
has no words: the capabilities of kinds that are not declared, floor and ceiling of a range, files that are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.catalog.entries import NODE_ENDINGS
from gatehook.catalog.entries import PYTHON_ENDINGS
from gatehook.catalog.manifest import MANIFEST_VERSION
from gatehook.catalog.manifest import Isolation
from gatehook.catalog.manifest import Transport
from gatehook.catalog.permissions import HOST
from gatehook.catalog.permissions import VARIABLE
from gatehook.catalog.permissions import WRAPPABLE
from gatehook.catalog.reader import LONGEST_LINE
from gatehook.catalog.requirements import ID
from gatehook.catalog.structure import LONGEST_ID
from gatehook.catalog.structure import LONGEST_TEXT
from gatehook.catalog.structure import REQUIRED
from gatehook.catalog.vocabulary import words
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FILE_NAME: Final = "manifest.schema.json"
_OWN: Final[Mapping[str, Any]] = {"^x-": {}}


def manifest_json_schema() -> dict[str, Any]:
    """Return the schema as plain JSON values (Draft 2020-12)."""
    return {
        "$schema": DIALECT,
        "title": "Gatehook plugin manifest",
        "description": "plugin.json: what a plugin is, how its code is run, what it can do and what it asks for.",
        "type": "object",
        "required": list(REQUIRED),
        "properties": _properties(),
        "patternProperties": _OWN,
        "additionalProperties": False,
    }


def _properties() -> dict[str, Any]:
    return {
        "$schema": _line("where this schema is"),
        "manifestVersion": {"const": MANIFEST_VERSION, "description": "the version of this format"},
        "id": {
            "type": "string",
            "pattern": _anchored(ID.pattern),
            "maxLength": LONGEST_ID,
            "description": 'unique; ids that differ only in "-" and "_" are the same',
        },
        "name": _line("the name for people"),
        "version": _line("a version as PEP 440 reads it"),
        "kinds": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"oneOf": [{"const": str(kind), "description": spec.summary} for kind, spec in KINDS.items()]},
            "description": "the contracts it fulfils",
        },
        "entry": {"oneOf": _entries(), "description": "how its code is run"},
        "configSchema": {
            "type": "object",
            "properties": {"type": {"const": "object"}},
            "description": "JSON Schema (Draft 2020-12) of its configuration; absent: it takes none",
        },
        "capabilities": _capabilities(),
        "description": {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_TEXT,
            "description": "what it does; may have several lines",
        },
        "authors": _list({"type": "string", "minLength": 1, "maxLength": LONGEST_LINE}, "who wrote it"),
        "license": _line("an SPDX expression"),
        "homepage": _line("where to read more"),
        "requires": _requires(),
        "permissions": _permissions(),
    }


def _anchored(pattern: str) -> str:
    """Write a pattern of ``re.match`` as JSON Schema searches for it."""
    return f"^(?:{pattern.removesuffix('Z').removesuffix(chr(92))})$"


def _line(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST_LINE, "description": description}


def _list(items: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": dict(items), "description": description}


def _object(properties: Mapping[str, Any], description: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": dict(properties),
        "patternProperties": _OWN,
        "additionalProperties": False,
        "description": description,
    }


def _file(endings: tuple[str, ...], description: str) -> dict[str, Any]:
    joined = "|".join(ending.removeprefix(".") for ending in endings)
    return {
        "type": "string",
        "pattern": rf"^(?!/)(?!.*\\)(?!.*:)(?!(?:.*/)?\.{{0,2}}/).+\.(?:{joined})$",
        "maxLength": LONGEST_LINE,
        "description": description,
    }


def _entries() -> list[dict[str, Any]]:
    adapter = _file(PYTHON_ENDINGS, "a Python file below the plugin's directory that builds providers over the session")
    url = {"type": "string", "pattern": "^https?://[^@#]+$", "maxLength": 2000, "description": "the server"}
    transports = [str(Transport.SSE), str(Transport.STREAMABLE_HTTP)]
    return [
        _object(
            {
                "type": {"const": "python.module"},
                "module": _file(PYTHON_ENDINGS, "a Python file below the plugin's directory"),
                "isolation": {"enum": [str(one) for one in Isolation], "description": "may only strengthen"},
            },
            "a Python module",
            ("type", "module"),
        ),
        _object(
            {
                "type": {"const": "node.module"},
                "module": _file(NODE_ENDINGS, "a JavaScript file below the plugin's directory"),
            },
            "a Node module",
            ("type", "module"),
        ),
        _object(
            {
                "type": {"const": "external.mcp"},
                "url": url,
                "transport": {"enum": transports, "description": "absent: SSE when the path ends in /sse"},
                "adapter": adapter,
            },
            "an MCP server at a URL",
            ("type", "url"),
        ),
        _object(
            {
                "type": {"const": "external.mcp"},
                "command": {
                    **_list(
                        {"type": "string", "minLength": 1, "maxLength": LONGEST_LINE}, "the program, its arguments"
                    ),
                    "minItems": 1,
                },
                "adapter": adapter,
            },
            "an MCP server on stdio",
            ("type", "command"),
        ),
    ]


def _capabilities() -> dict[str, Any]:
    properties = {
        word.key: {**word.shape.schema, "description": f"{', '.join(word.fields)}: {word.summary}"}
        for word in words().values()
    }
    return _object(
        properties, "what it can do; absent means unsupported, keys of kinds that are not declared are errors"
    )


def _requires() -> dict[str, Any]:
    return _object(
        {
            "api": _line("a PEP 440 range of the plugin API with floor and ceiling"),
            "packages": _list(_line("a PEP 508 requirement"), "installed Python distributions"),
            "plugins": {
                "type": "object",
                "propertyNames": {"pattern": _anchored(ID.pattern)},
                "additionalProperties": {"type": "string"},
                "description": "other plugins, each with a PEP 440 range; an empty one takes any version",
            },
        },
        "what has to be there",
    )


def _permissions() -> dict[str, Any]:
    path = {"type": "string", "pattern": r"^(?:/|~/)(?!.*\*)", "maxLength": LONGEST_LINE}
    program = {"type": "string", "minLength": 1, "pattern": r"^[^*]+$", "maxLength": LONGEST_LINE}
    wrap = {"enum": [str(kind) for kind in WRAPPABLE]}
    return {
        "type": "object",
        "properties": {
            "network": _list({"type": "string", "pattern": _anchored(HOST.pattern)}, "hosts, with an optional :port"),
            "files": {
                "type": "object",
                "properties": {"read": _list(path, "paths it reads"), "write": _list(path, "paths it writes")},
                "additionalProperties": False,
                "description": "paths outside its own data directory",
            },
            "environment": _list({"type": "string", "pattern": _anchored(VARIABLE.pattern)}, "variables it reads"),
            "processes": _list(program, "programs it starts, by name or absolute path"),
            "trading": {"type": "boolean", "description": "whether it sends orders through other entries' brokers"},
            "wrap": _list(wrap, f"kinds whose providers it wraps; never {Kind.BROKER}"),
        },
        "additionalProperties": False,
        "description": "what it asks for; there are no wildcards",
    }


def schema_text() -> str:
    """Return the schema as the published file has it."""
    import json

    return json.dumps(manifest_json_schema(), indent=2, ensure_ascii=False) + "\n"

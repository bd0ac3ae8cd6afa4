"""JSON Schemas (2020-12) of the wire, derived from the annotations that reading is driven by."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from types import UnionType
from typing import Annotated
from typing import Any
from typing import Final
from typing import Literal
from typing import Union
from typing import get_args
from typing import get_origin
from typing import get_type_hints

import attrs

from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.filters import Filter
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Health
from gatehook.wire.codec import FILTERS
from gatehook.wire.codec import WireCodec
from gatehook.wire.protocol import WIRE_VERSION
from gatehook.wire.tools import ITEMS
from gatehook.wire.tools import Tool
from gatehook.wire.tools import tool_table

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ID: Final = f"gatehook/wire/{WIRE_VERSION}"

_DECIMAL: Final[Schema] = {
    "type": "string",
    "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$",
    "description": "An exact number as text.",
}
_TIME: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$",
    "description": "RFC 3339 with an offset, up to nanoseconds.",
}
_INSTRUMENT: Final[Schema] = {
    "type": "string",
    "pattern": r"^\S(.*\S)?\.[^.\s]([^.]*[^.\s])?$",
    "description": "SYMBOL.VENUE; the venue begins after the last dot.",
}
_ACCOUNT: Final[Schema] = {
    "type": "object",
    "properties": {"entry_id": {"type": "string"}, "account_id": {"type": "string"}},
    "required": ["account_id"],
    "additionalProperties": False,
    "description": "An account; entry_id is the reader's own, whatever is written there.",
}
_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    None: {"type": "null"},
    Any: {},
}
_NAMED: Final[Mapping[Any, Schema]] = {Decimal: _DECIMAL, InstrumentId: _INSTRUMENT, AccountKey: _ACCOUNT}
_ERROR: Final[Schema] = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "category": {"enum": ["denied", "rejected", "ambiguous", "connection", "auth", "not_found", "data"]},
        "retry": {"enum": ["never", "safe", "after"]},
        "retry_after": {"type": ["number", "null"], "minimum": 0},
        "message": {"type": "string"},
        "venue_code": {"type": ["string", "null"]},
        "venue_message": {"type": ["string", "null"]},
        "pointer": {"type": "string"},
    },
    "required": ["code", "message"],
}


class _Schemas:
    """Collects the definitions that a schema refers to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, annotation: Any) -> Schema:
        """Return the schema of an annotation."""
        if get_origin(annotation) is Annotated:
            return self._named("Time", lambda: dict(_TIME))
        if annotation in _NAMED:
            return self._named(annotation.__name__, lambda: dict(_NAMED[annotation]))
        if annotation in _PLAIN:
            return dict(_PLAIN[annotation])
        if isinstance(annotation, type) and issubclass(annotation, StrEnum):
            return self._named(annotation.__name__, lambda: _words(annotation))
        return self._composed(annotation)

    def _composed(self, annotation: Any) -> Schema:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in (Union, UnionType):
            return self._union(annotation)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is not None and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin in (tuple, list, Sequence, frozenset):
            return self._array(origin, arguments)
        return self._object(annotation)

    def _array(self, origin: Any, arguments: tuple[Any, ...]) -> Schema:
        if origin is tuple and arguments[-1:] != (Ellipsis,):
            count = len(arguments)
            members = [self.of(one) for one in arguments]
            return {"type": "array", "prefixItems": members, "items": False, "minItems": count, "maxItems": count}
        schema = {"type": "array", "items": self.of(arguments[0])}
        return {**schema, "uniqueItems": True} if origin is frozenset else schema

    def _union(self, annotation: Any) -> Schema:
        if annotation == Filter:
            return self._named("Filter", self._filter)
        parts = get_args(annotation)
        if NoneType in parts and set(parts) - {NoneType} == set(get_args(Filter)):
            return {"anyOf": [self.of(Filter), {"type": "null"}]}
        found = [self.of(one) for one in parts]
        if all(set(one) == {"type"} for one in found):
            return {"type": [one["type"] for one in found]}
        return {"anyOf": found}

    def _object(self, annotation: Any) -> Schema:
        cls = get_origin(annotation) or annotation
        name = cls.__name__ + "".join(f"Of{one.__name__}" for one in get_args(annotation))
        return self._named(name, lambda: self._fields(cls, get_args(annotation)))

    def _fields(self, cls: Any, arguments: tuple[Any, ...]) -> Schema:
        hints = get_type_hints(cls, include_extras=True)
        replaced = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=True)) if arguments else {}
        fields = [field for field in attrs.fields(cls) if field.name != "raw"]
        properties = {}
        for field in fields:
            properties[field.name] = self.of(_replaced(hints[field.name], replaced))
            if field.default is not attrs.NOTHING and not isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]  # Factory is a class at run time
                properties[field.name] = {
                    **properties[field.name],
                    "default": _CODEC.dump(field.default, hints[field.name]),
                }
        return {
            "type": "object",
            "description": " ".join((cls.__doc__ or "").partition("\n\n")[0].split()),
            "properties": properties,
            "required": [field.name for field in fields if field.default is attrs.NOTHING],
            "additionalProperties": False,
        }

    def _filter(self) -> Schema:
        return {"oneOf": [self._operator(word, cls) for word, cls in FILTERS.items()]}

    def _operator(self, word: str, cls: type) -> Schema:
        schema = self._fields(cls, ())
        return {
            **schema,
            "properties": {"op": {"const": word}, **schema["properties"]},
            "required": ["op", *schema["required"]],
        }

    def _named(self, name: str, make: Any) -> Schema:
        if name not in self.definitions:
            self.definitions[name] = {}  # a filter holds filters
            self.definitions[name] = make()
        return {"$ref": f"#/$defs/{name}"}

    def item(self, words: Sequence[str]) -> Schema:
        """Return the schema of an item of a stream that carries these types."""
        return {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": word},
                        "value": self.of(ITEMS[word]),
                        "cursor": {"type": "string"},
                    },
                    "required": ["type", "value"],
                    "additionalProperties": False,
                }
                for word in words
            ]
        }

    def capabilities(self, kind: Kind) -> Schema:
        """Return the schema of a kind's capabilities, by the manifest's keys."""
        cls = KINDS[kind].capabilities
        hints = get_type_hints(cls)
        properties = {word.key: {**self.of(hints[word.field]), "description": word.summary} for word in vocabulary(cls)}
        return {
            "anyOf": [{"type": "object", "properties": properties, "additionalProperties": False}, {"type": "null"}]
        }


_CODEC: Final = WireCodec()


def _words(cls: type[StrEnum]) -> Schema:
    if "_missing_" in vars(cls):  # descriptive: an unknown word is tolerated
        return {"type": "string", "examples": [str(one) for one in cls]}
    return {"enum": [str(one) for one in cls]}


def _replaced(annotation: Any, variables: Mapping[Any, Any]) -> Any:
    if annotation in variables:
        return variables[annotation]
    if get_origin(annotation) is tuple and get_args(annotation)[0] in variables:
        return tuple[variables[get_args(annotation)[0]], ...]  # type: ignore[misc]  # made at run time
    return annotation


def _arguments(schemas: _Schemas, tool: Tool) -> Schema:
    properties = {}
    for name, annotation in tool.parameters.items():
        properties[name] = schemas.of(annotation)
        if name in tool.defaults:
            properties[name] = {**properties[name], "default": _CODEC.dump(tool.defaults[name], annotation)}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in tool.parameters if name not in tool.defaults],
        "additionalProperties": False,
    }


def _result(schemas: _Schemas, tool: Tool) -> Schema:
    return {
        "type": "object",
        "properties": {"result": _value(schemas, tool)},
        "required": ["result"],
        "additionalProperties": False,
    }


def _value(schemas: _Schemas, tool: Tool) -> Schema:
    if tool.part == "open":
        return {"type": "object", "properties": {"stream": {"type": "string"}}, "required": ["stream"]}
    if tool.part == "next":
        return _batch(schemas, tool)
    if tool.method == "capabilities" and tool.kind is not None:
        return schemas.capabilities(tool.kind)
    return schemas.of(tool.result)


def _batch(schemas: _Schemas, tool: Tool) -> Schema:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": schemas.item(tool.stream_of)},
            "position": {"type": "integer", "minimum": 0},
            "cursor": {"type": ["string", "null"]},
            "ended": {"type": "boolean"},
            "error": {"anyOf": [_ERROR, {"type": "null"}]},
            "conflated": {"type": "integer", "minimum": 0},
            "dropped": {"type": "integer", "minimum": 0},
            "health": schemas.of(Health),
        },
        "required": ["items", "position"],
        "additionalProperties": False,
    }


def _whole(schema: Schema, schemas: _Schemas) -> Schema:
    return {**schema, "$defs": dict(sorted(schemas.definitions.items()))} if schemas.definitions else schema


@cache
def _schema(name: str, *, result: bool) -> Schema:
    tool = tool_table(Kind)[name]
    schemas = _Schemas()
    return _whole(_result(schemas, tool) if result else _arguments(schemas, tool), schemas)


def arguments_schema(tool: Tool) -> Schema:
    """Return the JSON Schema of a tool's arguments."""
    return _schema(tool.name, result=False)


def result_schema(tool: Tool) -> Schema:
    """Return the JSON Schema of a tool's structured content."""
    return _schema(tool.name, result=True)


def tool_json(tool: Tool, *, results: bool) -> Mapping[str, Any]:
    """Return a tool as ``tools/list`` describes it; with ``results``, also the schema of its structured content.

    That of a batch is left out: a client that holds every item against it reads a tenth as fast.
    """
    described: dict[str, Any] = {
        "name": tool.name,
        "description": tool.summary,
        "inputSchema": arguments_schema(tool),
        "annotations": {
            "readOnlyHint": tool.reads,
            "destructiveHint": tool.trades,
            "idempotentHint": tool.reads,
            "openWorldHint": True,
        },
    }
    if results and tool.part != "next":
        described["outputSchema"] = result_schema(tool)
    return described


def wire_schema() -> Schema:
    """Return the whole wire as one JSON Schema document: every definition, and each tool's arguments and result."""
    schemas = _Schemas()
    tools = {
        tool.name: {
            "description": tool.summary,
            "trades": tool.trades,
            "arguments": _arguments(schemas, tool),
            "structuredContent": _result(schemas, tool),
        }
        for tool in tool_table(Kind).values()
    }
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "The wire of Gatehook",
        "$defs": {**dict(sorted(schemas.definitions.items())), "Error": _ERROR},
        "tools": tools,
    }

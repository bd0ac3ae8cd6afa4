"""The JSON Schema of gatehook.toml: the core's settings, and each known plugin's own. Needs no valid configuration."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import Protocol

from attrs import NOTHING

from gatehook.config.auth import AuthConfig
from gatehook.config.memory import DURATION
from gatehook.config.memory import EVERYTHING
from gatehook.config.memory import FolderConfig
from gatehook.config.memory import NewsConfig
from gatehook.config.memory import RetentionConfig
from gatehook.config.model import SECTIONS
from gatehook.config.model import EntryConfig
from gatehook.config.readers import AMOUNT
from gatehook.config.readers import CURRENCY
from gatehook.config.readers import LONGEST_CONVERSION
from gatehook.config.readers import LONGEST_NAMESPACE
from gatehook.config.readers import LONGEST_PATTERN
from gatehook.config.readers import SLOTS
from gatehook.config.readers import TIME_OF_DAY
from gatehook.config.schema_lint import lint_schema
from gatehook.config.schema_walk import takes_reference
from gatehook.config.settings import Named
from gatehook.config.settings import Shape
from gatehook.config.settings import settings_of
from gatehook.config.trading import LimitsConfig
from gatehook.config.trading import PermissionRule
from gatehook.config.trees import plain
from gatehook.config.vocabulary import DIALECT

_SCHEMA_ID: Final = "urn:gatehook:config"
_TEXT: Final = {"type": "string", "minLength": 1}
_ID: Final = {"type": "string", "pattern": "^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", "maxLength": 64}
_SECONDS: Final = {"type": "number", "exclusiveMinimum": 0}
_CURRENCY: Final = {"type": "string", "pattern": f"^{CURRENCY}$"}
_CONVERSION: Final = {
    "type": "array",
    "items": {"type": "string", "pattern": "^.+[.][^.]+$"},
    "minItems": 1,
    "maxItems": LONGEST_CONVERSION,
}
_PATTERN: Final = {"type": "string", "pattern": r"^[^?\[\]]+$", "maxLength": LONGEST_PATTERN}
_GLOB: Final = {"type": "string", "pattern": "^[^/]", "maxLength": LONGEST_PATTERN}
_NAMESPACE: Final = {"type": "string", "pattern": "^[^/*]+(/[^/*]+)*$", "maxLength": LONGEST_NAMESPACE}
_SCOPE: Final = {"type": "string", "pattern": "^[a-z][a-z0-9]*([._-][a-z0-9]+)*(/.+)?$"}
_SECRET: Final = {"$ref": f"{_SCHEMA_ID}#/$defs/secretReference"}
_SHAPES: Final[Mapping[Shape, Mapping[str, Any]]] = {
    Shape.SWITCH: {"type": "boolean"},
    Shape.TEXT: _TEXT,
    Shape.CHOICE: {"type": "string"},
    Shape.CHOICES: {"type": "array", "items": {"type": "string"}},
    Shape.SECONDS: _SECONDS,
    Shape.COUNT: {"type": "integer", "minimum": 1},
    Shape.PATH: _TEXT,
    Shape.PATHS: {"type": "array", "items": _TEXT},
    Shape.ID: _ID,
    Shape.IDS: {"type": "array", "items": _ID},
    Shape.USER_IDS: {"type": "array", "items": {"type": "integer", "minimum": 0}},
    Shape.TEXTS_BY_ID: {"type": "object", "propertyNames": _ID, "additionalProperties": _TEXT},
    Shape.SLOTS: {
        "type": "object",
        "properties": {slot: {"anyOf": [_ID, {"type": "array", "items": _ID}]} for slot in SLOTS},
        "additionalProperties": False,
    },
    Shape.FREE: {"type": "object"},
    Shape.VENUE: {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    Shape.URL: {"type": "string", "pattern": "^https?://.+$"},
    Shape.SECRET: {"anyOf": [{"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"}, _SECRET]},
    Shape.CURRENCY: _CURRENCY,
    Shape.CONVERSION: {"type": "object", "propertyNames": _CURRENCY, "additionalProperties": _CONVERSION},
    Shape.TIME_OF_DAY: {"type": "string", "pattern": f"^{TIME_OF_DAY}$"},
    Shape.AMOUNT: {
        "anyOf": [
            {"type": "string", "pattern": f"^{AMOUNT}$", "not": {"pattern": "^[0.]*$"}},
            {"type": "integer", "minimum": 1},
        ]
    },
    Shape.PATTERN: _PATTERN,
    Shape.PATTERNS: {"type": "array", "items": _PATTERN},
    Shape.TEXTS: {"type": "array", "items": _TEXT},
    Shape.GLOBS: {"type": "array", "items": _GLOB},
    Shape.NAMESPACE: _NAMESPACE,
    Shape.NAMESPACE_OR_ALL: {"anyOf": [_NAMESPACE, {"const": EVERYTHING}]},
    Shape.DURATION: {"type": "string", "pattern": f"^{DURATION}$"},
}
_REFERENCE: Final = {
    "type": "object",
    "description": "where a secret is kept",
    "properties": {"env": _TEXT, "file": _TEXT, "keyring": _TEXT},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


class HasConfig(Protocol):
    """What is read of a manifest."""

    @property
    def id(self) -> str:
        """The plugin's id."""

    @property
    def config_schema(self) -> Mapping[str, Any]:
        """Its configSchema."""


def config_json_schema(manifests: Iterable[HasConfig] = ()) -> dict[str, Any]:
    """Return the schema of the whole file (Draft 2020-12). A plugin whose own schema is refused may have any table."""
    sections = {name: _table(settings_of(section)) for name, section in SECTIONS.items()}
    own = {one.id: _entry(one) for one in manifests}
    sections["plugins"]["properties"]["entries"] = {
        "type": "object",
        "propertyNames": _ID,
        "properties": own,
        "additionalProperties": _entry_table(),
    }
    sections["limits"] = {
        "type": "object",
        "propertyNames": _SCOPE,
        "additionalProperties": _table(settings_of(LimitsConfig)),
    }
    sections["memory"]["properties"] |= {
        "folders": {"type": "array", "items": _table(settings_of(FolderConfig))},
        "news": {"type": "array", "items": _table(settings_of(NewsConfig))},
        "retention": {"type": "array", "items": _table(settings_of(RetentionConfig))},
    }
    sections["permissions"] = {"type": "array", "items": _table(settings_of(PermissionRule))}
    return {
        "$schema": DIALECT,
        "$id": _SCHEMA_ID,
        "title": "gatehook.toml",
        "type": "object",
        "properties": sections,
        "additionalProperties": False,
        "$defs": {"secretReference": _REFERENCE},
    }


def _table(settings: Iterable[Named]) -> dict[str, Any]:
    named = tuple(settings)
    required = [one.key for one in named if one.default is NOTHING]
    made = {"type": "object", "properties": {one.key: _setting(one) for one in named}, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _setting(named: Named) -> dict[str, Any]:
    made = {**_SHAPES[named.about.shape], "description": named.about.summary}
    words = list(named.about.choices)
    if named.about.shape is Shape.CHOICES:
        made["items"] = {"type": "string", "enum": words}
    elif words:
        made["enum"] = words
    if named.default is not None and named.about.shown is None:
        made["default"] = plain(named.default)
    return made


def _entry_table() -> dict[str, Any]:
    made = _table(settings_of(EntryConfig))
    made["properties"]["auth"] = _table(settings_of(AuthConfig))
    return made


def _entry(manifest: HasConfig) -> dict[str, Any]:
    made = _entry_table()
    schema = plain(manifest.config_schema)
    if not lint_schema(schema):
        # its own base, so that its local references still lead where they did
        made["properties"]["config"] = {**_with_references(schema, schema), "$id": f"urn:gatehook:plugin:{manifest.id}"}
    return made


def _with_references(schema: Any, root: Any) -> Any:
    """Let a secret reference stand wherever one is read."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: _or_reference(one, root) for name, one in schema["properties"].items()}
    if "items" in schema:
        made["items"] = _or_reference(schema["items"], root)
    return made


def _or_reference(schema: Any, root: Any) -> Any:
    inner = _with_references(schema, root)
    if not takes_reference(schema, root):
        return inner
    return {"anyOf": [inner, _SECRET]}

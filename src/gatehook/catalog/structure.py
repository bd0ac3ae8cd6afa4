"""From a decoded ``plugin.json`` to a ``Manifest``: strict, fast, and with all problems at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.catalog.entries import read_entry
from gatehook.catalog.manifest import CAPABILITY_FIELDS
from gatehook.catalog.manifest import MANIFEST_VERSION
from gatehook.catalog.manifest import NO_PERMISSIONS
from gatehook.catalog.manifest import NO_REQUIRES
from gatehook.catalog.manifest import NOTHING
from gatehook.catalog.manifest import Capabilities
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.permissions import read_permissions
from gatehook.catalog.reader import LONGEST_LINE
from gatehook.catalog.reader import Reader
from gatehook.catalog.reader import name_of
from gatehook.catalog.reader import pointer_to
from gatehook.catalog.reader import shown
from gatehook.catalog.requirements import ID
from gatehook.catalog.requirements import read_requires
from gatehook.catalog.schema_shape import fault_of_schema
from gatehook.catalog.vocabulary import Mismatch
from gatehook.catalog.vocabulary import Word
from gatehook.catalog.vocabulary import words
from gatehook.diagnostics.codes import manifest as codes
from gatehook.diagnostics.records import did_you_mean
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind

LONGEST_ID: Final = 64
LONGEST_TEXT: Final = 4000
REQUIRED: Final[Mapping[str, str]] = {
    "id": '"my-plugin"',
    "name": '"My plugin"',
    "version": '"0.1.0"',
    "kinds": '["connector.broker"]',
    "entry": '{"type": "python.module", "module": "plugin.py"}',
}
_BEYOND: Final = "configSchema capabilities description authors license homepage requires permissions manifestVersion"
KEYS: Final = frozenset({*REQUIRED, *_BEYOND.split(), "$schema"})
_REQUIRED: Final = frozenset(REQUIRED)
_PLAIN_VERSION: Final = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,4}\Z")
_KINDS: Final[Mapping[str, Kind]] = {str(kind): kind for kind in Kind}


def structure(data: Any, reader: Reader, *, embedded: bool = False) -> Manifest | None:
    """Build the manifest; ``None`` when the reader noted problems. An embedded plugin needs no ``entry``."""
    if type(data) is not dict:
        reader.note(codes.NOT_AN_OBJECT, "", found=name_of(data))
        return None
    _check_keys(data, reader, embedded)
    kinds = _kinds(data["kinds"], reader) if "kinds" in data else ()
    manifest = Manifest(
        id=_id(data.get("id"), reader) if "id" in data else "",
        name=reader.text(data["name"], "name", "") if "name" in data else "",
        version=_version(data["version"], reader) if "version" in data else "",
        kinds=kinds,
        entry=read_entry(data["entry"], reader) if "entry" in data else None,
        config_schema=_schema(data["configSchema"], reader) if "configSchema" in data else NOTHING,
        capabilities=_capabilities(data.get("capabilities"), kinds, reader, given="capabilities" in data),
        requires=read_requires(data["requires"], reader) if "requires" in data else NO_REQUIRES,
        permissions=read_permissions(data["permissions"], reader) if "permissions" in data else NO_PERMISSIONS,
        **_descriptive(data, reader),
    )
    return None if reader.problems else manifest


def _check_keys(data: Mapping[str, Any], reader: Reader, embedded: bool) -> None:
    if not KEYS.issuperset(data):
        reader.unknown(data, KEYS, "")
    if data.keys() >= _REQUIRED:
        return
    for key, example in REQUIRED.items():
        if key not in data and not (embedded and key == "entry"):
            reader.note(codes.MISSING_KEY, "", key=key, expected=example)


def _id(value: Any, reader: Reader) -> str:
    if type(value) is not str:
        reader.wrong(value, "id", "a string", "/id")
        return ""
    if len(value) > LONGEST_ID or not ID.match(value):
        reader.note(codes.BAD_ID, "/id", value=f'"{shown(value)}"')
        return ""
    return value


def _version(value: Any, reader: Reader) -> str:
    version = reader.text(value, "version", "")
    if version and not _PLAIN_VERSION.match(version) and not _is_version(version):
        reader.note(codes.BAD_VALUE, "/version", key="version", expected='a version like "0.1.0"', hint="")
    return version


def _is_version(text: str) -> bool:
    from packaging.version import InvalidVersion
    from packaging.version import Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _kinds(value: Any, reader: Reader) -> tuple[Kind, ...]:
    if type(value) is not list or not value:
        reader.wrong(value, "kinds", "a list of at least one kind", "/kinds")
        return ()
    found: list[Kind] = []
    for index, one in enumerate(value):
        kind = _KINDS.get(one) if type(one) is str else None
        if kind is None:
            hint = did_you_mean(one, _KINDS) if type(one) is str else ""
            facts = {"kind": shown(str(one)), "hint": hint, "known": ", ".join(_KINDS)}
            reader.note(codes.UNKNOWN_KIND, f"/kinds/{index}", **facts)
        elif kind in found:
            reader.note(codes.BAD_VALUE, f"/kinds/{index}", key="kinds", expected="a list of each kind once", hint="")
        else:
            found.append(kind)
    return tuple(found)


def _schema(value: Any, reader: Reader) -> Mapping[str, Any]:
    schema = reader.table(value, "configSchema", "")
    fault = fault_of_schema(schema)
    if fault is not None:
        reader.note(codes.BAD_SCHEMA, f"/configSchema{fault.pointer}", reason=fault.reason)
    return schema


def _capabilities(value: Any, kinds: tuple[Kind, ...], reader: Reader, *, given: bool) -> Capabilities:
    values: dict[str, dict[str, Any]] = {kind.value: {} for kind in kinds}  # an enum as a key is hashed by Python code
    if given:
        known = words()
        for key, one in reader.table(value, "capabilities", "").items():
            word = known.get(key)
            if word is None:
                _unknown_capability(key, reader)
            else:
                _read_capability(word, one, values, reader)
    if reader.problems:
        return Capabilities()
    made = {}
    for name, given_values in values.items():
        field, capabilities = _VOCABULARIES[name]
        made[field] = capabilities(**given_values)
    return Capabilities(**made)


_VOCABULARIES: Final = {kind.value: (CAPABILITY_FIELDS[kind], spec.capabilities) for kind, spec in KINDS.items()}


def _unknown_capability(key: str, reader: Reader) -> None:
    if not key.startswith("x-"):
        hint = did_you_mean(key, words())
        reader.note(codes.UNKNOWN_CAPABILITY, pointer_to("/capabilities", key), key=shown(key), hint=hint)


def _read_capability(word: Word, value: Any, values: dict[str, dict[str, Any]], reader: Reader) -> None:
    known = False
    for kind, field in word.fields.items():
        if kind in values:
            known = True
            try:
                values[kind][field] = word.shape.read(value)
            except Mismatch:
                _mismatch(word, value, reader)
                return
    if not known:
        owners = " or ".join(word.fields)
        reader.note(codes.CAPABILITY_OF_OTHER_KIND, f"/capabilities/{word.key}", key=word.key, kinds=owners)


def _mismatch(word: Word, value: Any, reader: Reader) -> None:
    hint = "".join(did_you_mean(one, word.shape.words) for one in _strings(value) if one not in word.shape.words)
    reader.note(codes.BAD_VALUE, f"/capabilities/{word.key}", key=word.key, expected=word.shape.expected, hint=hint)


def _strings(value: Any) -> list[str]:
    return [one for one in (value if type(value) is list else [value]) if type(one) is str]


def _descriptive(data: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("license", "homepage"):
        if key in data:
            found[key] = reader.text(data[key], key, "", LONGEST_LINE)
    if "description" in data:
        found["description"] = _paragraphs(data["description"], reader)
    if "authors" in data:
        found["authors"] = reader.texts(data["authors"], "authors", "")
    if "manifestVersion" in data:
        found["manifest_version"] = _manifest_version(data["manifestVersion"], reader)
    if "$schema" in data:
        reader.text(data["$schema"], "$schema", "", LONGEST_LINE)
    if not KEYS.issuperset(data):
        found["extra"] = {key: value for key, value in data.items() if key not in KEYS}
    return found


def _paragraphs(value: Any, reader: Reader) -> str:
    if type(value) is not str or "\n" not in value:
        return reader.text(value, "description", "", LONGEST_TEXT)
    if not value.replace("\n", "").isprintable():
        reader.note(codes.BAD_TEXT, "/description", key="description", longest=LONGEST_TEXT)
        return ""
    reader.text(value.replace("\n", " "), "description", "", LONGEST_TEXT)
    return value


def _manifest_version(value: Any, reader: Reader) -> int:
    if type(value) is not int or value != MANIFEST_VERSION:
        expected = f"{MANIFEST_VERSION}; this Gatehook reads no other"
        reader.note(codes.BAD_VALUE, "/manifestVersion", key="manifestVersion", expected=expected, hint="")
    return MANIFEST_VERSION

"""A plugin's own configuration: its structure checked with nothing resolved; then resolved, checked and sealed."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.config.defaults import property_names
from gatehook.config.defaults import with_defaults
from gatehook.config.layers import fold
from gatehook.config.model import EntryConfig
from gatehook.config.quick import Stored
from gatehook.config.readers import type_name
from gatehook.config.schema_walk import child
from gatehook.config.schema_walk import is_hidden_at
from gatehook.config.schema_walk import is_marked
from gatehook.config.schema_walk import is_secret_at
from gatehook.config.schema_walk import possible
from gatehook.config.schema_walk import takes_reference
from gatehook.config.schema_walk import together
from gatehook.config.sources import Layer
from gatehook.config.trees import frozen
from gatehook.config.trees import plain
from gatehook.config.trees import pointer_of
from gatehook.config.validation import Finding
from gatehook.config.validation import Steps
from gatehook.config.validation import findings
from gatehook.config.vocabulary import subschemas
from gatehook.diagnostics import Code
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import config as codes
from gatehook.diagnostics.codes import secrets as secret_codes
from gatehook.kinds.kind import Kind
from gatehook.secrets import SHORTEST_REDACTED
from gatehook.secrets import Redactor
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference
from gatehook.secrets import SecretUnavailable
from gatehook.secrets import reference_in

Resolve = Callable[[SecretReference | Secret, Steps], str]


@attrs.frozen(kw_only=True)
class ResolvedConfig:
    """What a plugin gets.

    Attributes:
        values: immutable; defaults applied; every secret a ``Secret``.
        diagnostics: what wants a look although it is valid.
    """

    values: Mapping[str, Any]
    diagnostics: tuple[Diagnostic, ...] = ()


@attrs.frozen
class NamedEntry:
    """An entry that a configuration names, at a pointer whose schema says ``x-gatehook-entry``."""

    pointer: str
    kind: Kind
    entry_id: str


def check_structure(entry: EntryConfig, schema: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """Check a configuration without resolving a secret; for the control plane.

    Returns:
        Nothing, or what is wrong: ``config.needs-config`` alone when nothing is configured and something is required.
    """
    if problem := _not_json(entry):
        return (problem,)
    values = with_defaults(_replaced(entry, schema, _placeholder), schema, schema)
    needed = [name for one in together(schema, schema) for name in one.get("required", ()) if name not in values]
    if needed and not entry.config:
        return (_report(entry, codes.NEEDS_CONFIG, (), needed=", ".join(needed)),)
    return tuple(_invalid(entry, one) for one in findings(schema, values, deferred=True))


def resolve_entry(
    entry: EntryConfig, schema: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, redactor: Redactor
) -> ResolvedConfig:
    """Resolve the secrets of an entry, validate all of it, and seal it; just before its plugin is loaded.

    Args:
        entry: the entry.
        schema: linted before.
        environ: the environment, instead of the process's.
        redactor: learns every secret.

    Raises:
        GatehookError: for a secret that is not there, and for every broken rule.
    """
    if problem := _not_json(entry):
        raise GatehookError(problem)
    problems: list[Diagnostic] = []

    def fetch(stored: SecretReference | Secret, steps: Steps) -> str:
        try:
            secret = stored if isinstance(stored, Secret) else _at_home(entry, stored, steps).resolve(environ)
        except SecretUnavailable as unavailable:
            problems.append(_report(entry, secret_codes.UNAVAILABLE, steps, reason=unavailable))
            return ""
        return secret.reveal()

    values = with_defaults(_replaced(entry, schema, fetch), schema, schema)
    sealed, notes = _sealed(entry, values, schema, redactor)
    broken = findings(schema, values) if not problems else ()
    if problems or broken:
        raise GatehookError(*problems, *(_invalid(entry, one) for one in broken))
    return ResolvedConfig(values=sealed, diagnostics=tuple(notes))


def masked(entry: EntryConfig, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a configuration for people: references as they were written, every secret in clear text as a mask.

    What the schema does not admit at all is masked too: it may be a secret under a name that was mistyped.
    """

    def show(value: Any, steps: Steps) -> Any:
        if isinstance(value, dict) and reference_in(value) is None:
            return {name: show(one, (*steps, name)) for name, one in value.items()}
        if isinstance(value, list):
            return [show(one, (*steps, at)) for at, one in enumerate(value)]
        if isinstance(value, Secret) or (reference_in(value) is None and is_hidden_at(schema, steps)):
            return str(Secret(""))
        return value

    shown: Mapping[str, Any] = show(plain(entry.config), ())
    return shown


def entry_references(schema: Mapping[str, Any]) -> Mapping[str, Kind]:
    """Return where a configuration names other entries: JSON pointers (``*`` for any element) and the kinds."""

    def walk(here: Any, steps: tuple[str, ...]) -> Iterator[tuple[str, Kind]]:
        for one in possible(here, schema):
            if "x-gatehook-entry" in one:
                yield pointer_of(steps), Kind(one["x-gatehook-entry"])
            for inner, below in subschemas(one):
                if inner[0] in ("properties", "items"):
                    yield from walk(below, (*steps, inner[1] if len(inner) > 1 else "*"))

    return dict(walk(schema, ()))


def named_entries(entry: EntryConfig, schema: Mapping[str, Any]) -> tuple[NamedEntry, ...]:
    """Return the entries that a configuration names, defaults included."""

    def walk(value: Any, here: Any, steps: tuple[str, ...]) -> Iterator[NamedEntry]:
        kinds = {one["x-gatehook-entry"] for one in possible(here, schema) if "x-gatehook-entry" in one}
        if isinstance(value, str):
            yield from (NamedEntry(pointer_of(steps), Kind(kind), value) for kind in sorted(kinds))
        inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, one in inner:
            yield from walk(one, child(here, schema, step), (*steps, str(step)))

    values = with_defaults(_replaced(entry, schema, _placeholder), schema, schema)
    return tuple(walk(values, schema, ()))


def _placeholder(_: SecretReference | Secret, steps: Steps) -> str:
    return pointer_of(tuple(map(str, steps)))  # unlike any other, for uniqueItems


def _replaced(entry: EntryConfig, schema: Mapping[str, Any], resolve: Resolve) -> Any:
    """Return a copy with what ``resolve`` gives for every reference; keys from the environment are spelled as there."""

    def walk(value: Any, here: Any, steps: Steps) -> Any:
        if isinstance(value, Secret):
            return Stored(resolve(value, steps))
        if (reference := reference_in(value)) is not None and takes_reference(here, schema):
            return Stored(resolve(reference, steps))
        if isinstance(value, list):
            return [walk(one, child(here, schema, at), (*steps, at)) for at, one in enumerate(value)]
        if not isinstance(value, dict):
            return value
        made = {}
        for name, one in value.items():
            spelled = _spelled(entry, (*steps, name), property_names(here, schema))
            made[spelled] = walk(one, child(here, schema, spelled), (*steps, name))
        return made

    return walk(plain(entry.config), schema, ())


def _spelled(entry: EntryConfig, steps: Steps, known: list[str]) -> str:
    name = str(steps[-1])
    if name in known or entry.sources.of(entry.key_of(_pointer(steps))).layer is not Layer.ENVIRONMENT:
        return name
    return next((one for one in known if fold(one) == fold(name)), name)


def _at_home(entry: EntryConfig, reference: SecretReference, steps: Steps) -> SecretReference:
    """A relative file is relative to the configuration file that names it."""
    path, _ = entry.line_of(_pointer(steps))
    if reference.store != "file" or path is None:
        return reference
    return SecretReference("file", str(path.absolute().parent / Path(reference.name).expanduser()))


def _sealed(
    entry: EntryConfig, values: Any, schema: Mapping[str, Any], redactor: Redactor
) -> tuple[Mapping[str, Any], list[Diagnostic]]:
    notes: list[Diagnostic] = []

    def seal(value: Any, steps: Steps) -> Any:
        if isinstance(value, dict):
            return {name: seal(one, (*steps, name)) for name, one in value.items()}
        if isinstance(value, list):
            return [seal(one, (*steps, at)) for at, one in enumerate(value)]
        if not _is_secret(value, schema, steps):
            return value
        secret = Secret(str(value))
        if not redactor.add(secret):
            notes.append(_report(entry, secret_codes.TOO_SHORT, steps, shortest=SHORTEST_REDACTED))
        return secret

    sealed: Mapping[str, Any] = frozen(seal(values, ()))
    return sealed, notes


def _is_secret(value: Any, schema: Mapping[str, Any], steps: Steps) -> bool:
    """Text is secret for its store, its mark or its name; a number only for its mark: a ``tokenLimit`` counts."""
    if isinstance(value, str):
        return bool(value) and (isinstance(value, Stored) or is_secret_at(schema, schema, steps))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and is_marked(_at(schema, steps), schema)


def _at(schema: Mapping[str, Any], steps: Steps) -> Any:
    here: Any = schema
    for step in steps:
        here = child(here, schema, step)
    return here


_SCALARS: Final = (str, int, float, bool, type(None), Secret)


def _not_json(entry: EntryConfig) -> Diagnostic | None:
    for steps, value in _leaves(plain(entry.config), ()):
        if not isinstance(value, _SCALARS):
            return _report(entry, codes.NOT_JSON, steps, found=type_name(value))
        if isinstance(value, float) and not math.isfinite(value):
            return _report(entry, codes.NOT_JSON, steps, found="a number that is not finite")
    return None


def _leaves(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    if not isinstance(value, dict | list):
        yield steps, value
        return
    for step, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(one, (*steps, step))


def _invalid(entry: EntryConfig, finding: Finding) -> Diagnostic:
    return _report(entry, codes.INVALID_ENTRY, finding.steps, rule=finding.rule, explanation=finding.explanation)


def _pointer(steps: Steps) -> str:
    return pointer_of(tuple(map(str, steps)))


def _report(entry: EntryConfig, code: Code, steps: Steps, **facts: Any) -> Diagnostic:
    pointer = _pointer(steps)
    source = entry.sources.of(entry.key_of(pointer))
    return code(
        plugin=entry.plugin_id,
        entry=entry.entry_id,
        path=source.path,
        line=source.line,
        pointer=pointer,
        origin=None if source.layer in (Layer.FILE, Layer.DEFAULTS) else str(source),
        **facts,
    )

"""A plugin's configSchema, checked once: that it is one, and that using it cannot hang the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.config.passing import KEYWORDS as PASSING
from gatehook.config.passing import fault_of_passing
from gatehook.config.patterns import PatternRefused
from gatehook.config.patterns import compile_pattern
from gatehook.config.schema_walk import target
from gatehook.config.trees import plain
from gatehook.config.trees import pointer_of
from gatehook.config.trees import too_deep
from gatehook.config.vocabulary import DEFINITIONS
from gatehook.config.vocabulary import DIALECT
from gatehook.config.vocabulary import is_well_formed
from gatehook.config.vocabulary import subschemas
from gatehook.diagnostics import Code
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import config as codes
from gatehook.diagnostics.codes import secrets as secret_codes
from gatehook.kinds.kind import Kind
from gatehook.secrets import is_secret_name

DEEPEST: Final = 40
#: How many schemas a value may meet, references followed.
MOST_SCHEMAS: Final = 10_000
_MOST_HOPS: Final = 100
#: Steps from the schema to a property of the top level.
_A_PROPERTY: Final = 2
_DYNAMIC: Final = ("$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor")


def lint_schema(schema: Any, *, plugin: str = "", path: Path | None = None) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a configSchema; nothing when it may be used.

    A schema that is plainly well-formed costs no import of ``jsonschema``.

    Args:
        schema: what the manifest says.
        plugin: whose it is.
        path: the manifest.
    """
    lint = _Lint(schema, plugin or "the plugin", path)
    if not isinstance(schema, Mapping):
        lint.report(codes.SCHEMA_INVALID, (), reason="it is no object")
    elif too_deep(schema, DEEPEST):
        lint.report(codes.SCHEMA_TOO_COMPLEX, (), reason=f"it is nested deeper than {DEEPEST} levels")
    else:
        lint.check()
    return tuple(lint.problems)


def unmarked_secrets(schema: Any, *, plugin: str = "", path: Path | None = None) -> tuple[Diagnostic, ...]:
    """Return a finding for every property that is a secret by its name alone; for the plugin's author."""
    lint = _Lint(schema, plugin or "the plugin", path)
    for steps, one in _all_schemas(schema, ()):
        if len(steps) > 1 and steps[-2] == "properties" and is_secret_name(steps[-1]) and not _is_marked(one):
            lint.report(secret_codes.UNMARKED, steps)
    return tuple(lint.problems)


def _is_marked(schema: Any) -> bool:
    return isinstance(schema, Mapping) and (
        schema.get("writeOnly") is True or schema.get("format") == "password" or schema.get("x-sensitive") is True
    )


def _all_schemas(schema: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield steps, schema
    for inner, one in subschemas(schema):
        yield from _all_schemas(one, (*steps, *inner))


@attrs.frozen
class _Lint:
    root: Any
    plugin: str
    path: Path | None
    problems: list[Diagnostic] = attrs.field(factory=list)
    known: set[int] = attrs.field(factory=set)

    def report(self, code: Code, steps: tuple[str, ...], **facts: Any) -> None:
        named = self.plugin if self.plugin != "the plugin" else None
        pointer = "/configSchema" + pointer_of(steps)
        problem = code(path=self.path, pointer=pointer, **{**facts, "plugin": self.plugin})
        self.problems.append(attrs.evolve(problem, plugin=named))

    def check(self) -> None:
        """Check forms, patterns and references of every schema; only then what they add up to."""
        well_formed = True
        uses_patterns = uses_unevaluated = uses_references = False
        everything = list(_all_schemas(self.root, ()))
        for steps, one in everything:
            if not isinstance(one, Mapping):
                well_formed &= isinstance(one, bool)
                continue
            well_formed &= all(is_well_formed(keyword, value) for keyword, value in one.items())
            uses_patterns |= "patternProperties" in one
            uses_unevaluated |= "unevaluatedProperties" in one
            uses_references |= "$ref" in one
            self._check_patterns(one, steps)
            self._check_names(one, steps)
        if uses_patterns and uses_unevaluated:
            self.report(codes.SCHEMA_TOO_COMPLEX, (), reason="it has patternProperties and unevaluatedProperties")
        if not well_formed:
            self._ask_jsonschema()
        if not self.problems and (uses_references or len(everything) > MOST_SCHEMAS):
            self._check_references(everything)

    def _check_patterns(self, schema: Mapping[str, Any], steps: tuple[str, ...]) -> None:
        named = schema.get("patternProperties", {})
        written = [
            *([schema["pattern"]] if "pattern" in schema else []),
            *(named if isinstance(named, Mapping) else []),
        ]
        for pattern in written:
            try:
                compile_pattern(pattern if isinstance(pattern, str) else "")
            except PatternRefused as refused:
                self.report(codes.SCHEMA_PATTERN, steps, reason=refused)

    def _check_names(self, schema: Mapping[str, Any], steps: tuple[str, ...]) -> None:
        self._check_passing(schema, steps)
        kind = schema.get("x-gatehook-entry")
        if kind is not None and kind not in list(Kind):
            hint = did_you_mean(str(kind)[:64], list(Kind))
            self.report(codes.UNKNOWN_ENTRY_KIND, (*steps, "x-gatehook-entry"), hint=hint)
        if any(word in schema for word in _DYNAMIC) or ("$id" in schema and steps):
            self.report(codes.SCHEMA_REFERENCE, steps, reason="is dynamic, or changes its base ($id inside)")

    def _check_passing(self, schema: Mapping[str, Any], steps: tuple[str, ...]) -> None:
        for keyword in PASSING:
            if keyword in schema:
                fault = fault_of_passing(keyword, schema[keyword])
                if fault is None and not (len(steps) == _A_PROPERTY and steps[0] == "properties"):
                    fault = f"{keyword} is not at a property of the configuration's top level"
                if fault is not None:
                    self.report(codes.SCHEMA_PASSING, (*steps, keyword), reason=fault)

    def _ask_jsonschema(self) -> None:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        if (
            isinstance(self.root.get("$schema", DIALECT), str)
            and self.root.get("$schema", DIALECT).rstrip("#") != DIALECT
        ):
            self.report(codes.SCHEMA_INVALID, ("$schema",), reason=f"its dialect is not {DIALECT}")
            return
        try:
            Draft202012Validator.check_schema(plain(self.root))
        except SchemaError as error:
            steps = tuple(str(step) for step in error.absolute_path)
            self.report(codes.SCHEMA_INVALID, steps, reason=f"it breaks the rule {error.validator}")

    def _check_references(self, everything: Sequence[tuple[tuple[str, ...], Any]]) -> None:
        costs: dict[int, int] = {}
        self.known.update(id(one) for _, one in everything)
        for steps, one in everything:
            try:
                cost = self._cost(one, steps, costs, ())
            except _Refused as refused:
                self.report(refused.code, refused.steps, reason=refused.reason)
                return
            if cost > MOST_SCHEMAS:
                reason = f"a value could meet more than {MOST_SCHEMAS} schemas"
                self.report(codes.SCHEMA_TOO_COMPLEX, steps, reason=reason)
                return

    def _cost(self, schema: Any, steps: tuple[str, ...], costs: dict[int, int], active: tuple[int, ...]) -> int:
        """Count the schemas that one leads to, each as often as it is met; the ones only defined do not count."""
        if id(schema) in active:
            raise _Refused(codes.SCHEMA_REFERENCE, steps, "leads back to itself")
        if len(active) > _MOST_HOPS:
            raise _Refused(
                codes.SCHEMA_TOO_COMPLEX, steps, f"references follow each other more than {_MOST_HOPS} times"
            )
        if not isinstance(schema, Mapping):
            return 1
        if id(schema) not in costs:
            inside = (*active, id(schema))
            used = [(inner, one) for inner, one in subschemas(schema) if inner[0] not in DEFINITIONS]
            cost = 1 + sum(self._cost(one, (*steps, *inner), costs, inside) for inner, one in used)
            if "$ref" in schema:
                cost += self._cost(self._target(schema["$ref"], steps), (*steps, "$ref"), costs, inside)
            costs[id(schema)] = cost
        return costs[id(schema)]

    def _target(self, reference: str, steps: tuple[str, ...]) -> Any:
        if reference != "#" and not reference.startswith("#/"):
            raise _Refused(codes.SCHEMA_REFERENCE, (*steps, "$ref"), "leads out of the schema")
        found = target(self.root, reference)
        if id(found) not in self.known:
            raise _Refused(codes.SCHEMA_REFERENCE, (*steps, "$ref"), "leads to no schema")
        return found


class _Refused(Exception):
    def __init__(self, code: Code, steps: tuple[str, ...], reason: str) -> None:
        super().__init__()
        self.code, self.steps, self.reason = code, steps, reason

"""Arguments of a call, held against the tool's own schema before anything leaves."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING
from typing import Any

from gatehook.config.patterns import PatternRefused
from gatehook.config.patterns import compile_pattern
from gatehook.config.quick import surely_valid
from gatehook.context import ToolDefinition
from gatehook.diagnostics.records import did_you_mean
from gatehook.kinds.amounts import as_json_number
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import Denied
from gatehook.secrets import MASK
from gatehook.secrets import Secret

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_NUMBERS = frozenset({"number", "integer"})


class Arguments:
    """The compiled schemas of one tool list."""

    def __init__(self, tools: Mapping[str, ToolDefinition], entry_id: str) -> None:
        self._tools = tools
        self._entry = entry_id
        self._validators: dict[str, Validator] = {}

    def ready(self, tool: str, arguments: Mapping[str, Any], undeclared: Iterable[str] = ()) -> dict[str, Any]:
        """Return the arguments as JSON values.

        Raises:
            Denied: nothing is to be sent; it names the entry, the tool and the place, never a value.
        """
        try:
            return self._ready(tool, arguments, undeclared)
        except Denied as error:
            raise Denied(f"{self._entry}: {error.message}") from None

    def _ready(self, tool: str, arguments: Mapping[str, Any], undeclared: Iterable[str]) -> dict[str, Any]:
        definition = self._tools.get(tool)
        if definition is None:
            raise Denied(f"the server has no tool {tool!r}{did_you_mean(tool, self._tools)}; nothing was sent")
        schema = definition.input_schema
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        allowed = {*properties, *undeclared}
        for name in arguments:
            if name not in allowed:
                hint = did_you_mean(name, allowed)
                raise Denied(f"the tool {tool!r} declares no argument {name!r}{hint}; nothing was sent")
        made = {name: _value(one, properties.get(name), f"/{name}", tool) for name, one in arguments.items()}
        self._check(tool, schema, made, undeclared=not allowed.issubset(properties))
        return made

    def _check(self, tool: str, schema: Mapping[str, Any], made: dict[str, Any], *, undeclared: bool) -> None:
        validator = self._validators.get(tool)
        if validator is None:
            validator = self._validators[tool] = compiled(schema, f"the tool {tool!r}")
        properties = schema.get("properties", {})
        declared = {name: one for name, one in made.items() if name in properties} if undeclared else made
        problem = first_problem(validator, declared)
        if problem:
            raise Denied(f"the arguments of the tool {tool!r} are against its schema at {problem}; nothing was sent")


def compiled(schema: Mapping[str, Any], whose: str) -> Validator:
    """Return a validator of a schema from outside: references lead nowhere but into the schema itself.

    Raises:
        Denied: it is no JSON Schema.
    """
    from jsonschema import validators
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    cls = validators.validator_for(schema, default=validators.validator_for({}))
    # jsonschema's stubs leave ``extend`` without types.
    cls = validators.extend(cls, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    try:
        cls.check_schema(dict(schema))
    except SchemaError as error:
        raise Denied(f"{whose} has a schema that is none, at {_pointer(error.path)}; nothing was sent") from None
    made: Validator = cls(dict(schema), registry=Registry())
    return made


def first_problem(validator: Validator, value: Any) -> str:
    """Return where and against which rule a value is, or nothing. Values of the other side are never quoted."""
    try:
        if surely_valid(validator.schema, value):
            return ""
    except PatternRefused:
        pass  # the validator leaves it out
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        error = best_match(validator.iter_errors(value))
    except (Unresolvable, RecursionError, TypeError):
        return "/: the schema itself cannot be followed"
    if error is None:
        return ""
    rule = f"{error.validator} {_shown(error.validator_value)}" if error.validator in _SHOWN else error.validator
    return f"{_pointer(error.absolute_path)}: {rule}"


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """Match in linear time: a stranger's pattern shall not stop the gateway. One that cannot be, its server checks."""
    from jsonschema.exceptions import ValidationError

    try:
        matches = not isinstance(instance, str) or compile_pattern(pattern).search(instance)
    except PatternRefused:
        return
    if not matches:
        yield ValidationError("pattern")


_SHOWN = frozenset({"type", "required", "enum", "minimum", "maximum", "exclusiveMinimum", "maxLength", "minLength"})


def _shown(rule: Any) -> str:
    text = repr(rule)
    return text if len(text) <= 200 else f"{text[:199]}…"  # noqa: PLR2004  a line of a message


def _pointer(path: Iterable[Any]) -> str:
    return "".join(f"/{str(one).replace('~', '~0').replace('/', '~1')}" for one in path) or "/"


def _value(value: Any, schema: Any, place: str, tool: str) -> Any:
    """Make a JSON value; a Decimal becomes what the schema wants, exactly."""
    if isinstance(value, Decimal):
        return _decimal(value, schema, place, tool)
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        parts = _part(schema, "properties")
        return {key: _value(one, parts.get(key), f"{place}/{key}", tool) for key, one in value.items()}
    if isinstance(value, list | tuple):
        items = schema.get("items") if isinstance(schema, Mapping) else None
        return [_value(one, items, f"{place}/{at}", tool) for at, one in enumerate(value)]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str) and MASK in value:
        raise Denied(f"the argument {place} of the tool {tool!r} holds the mask of a secret; nothing was sent")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise Denied(f"the argument {place} of the tool {tool!r} is a {type(value).__name__}; nothing was sent")


def _decimal(value: Decimal, schema: Any, place: str, tool: str) -> int | float | str:
    types = _types(schema)
    if "string" in types and not types & _NUMBERS:
        if not value.is_finite():
            raise Denied(f"the argument {place} of the tool {tool!r} is no finite number; nothing was sent")
        return plain(value)
    try:
        return as_json_number(value)
    except ValueError:
        raise Denied(f"the argument {place} of the tool {tool!r} is no finite number; nothing was sent") from None


def _types(schema: Any) -> set[str]:
    """Return the types a schema names, also in its alternatives; empty means any."""
    if not isinstance(schema, Mapping):
        return set()
    stated = schema.get("type")
    found = {stated} if isinstance(stated, str) else set(stated or ())
    for word in ("anyOf", "oneOf"):
        for one in schema.get(word) or ():
            found |= _types(one)
    return found


def _part(schema: Any, word: str) -> Mapping[str, Any]:
    found = schema.get(word) if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}

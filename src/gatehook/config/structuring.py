"""A plugin's configuration as its own attrs class, strictly: nothing is coerced, and no message holds a value."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from types import NoneType
from types import UnionType
from typing import Any
from typing import Final
from typing import Literal
from typing import TypeVar
from typing import Union
from typing import get_args
from typing import get_origin
from typing import get_type_hints

import attrs

from gatehook.diagnostics import did_you_mean
from gatehook.kinds.amounts import exact
from gatehook.secrets import Secret

T = TypeVar("T")
_SEQUENCES: Final[Mapping[Any, Callable[[Iterable[Any]], Any]]] = {
    list: list,
    tuple: tuple,
    set: frozenset,
    frozenset: frozenset,
}


def structure_config(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build an attrs class of a resolved configuration.

    A key ``allowedAccounts`` fills an attribute ``allowed_accounts``. A ``Secret`` fills attributes of that type
    only; ``Decimal`` is made of strings and integers only.

    Raises:
        TypeError: naming every key that is unknown, missing or of another type than its attribute.
    """
    problems: list[str] = []
    made = _attrs(cls, values, "", problems)
    if problems:
        raise TypeError(f"{cls.__name__} does not fit the configuration: " + "; ".join(problems))
    return made  # type: ignore[no-any-return]  # built of cls by name


def _attrs(cls: Any, values: Any, place: str, problems: list[str]) -> Any:
    if not isinstance(values, Mapping):
        return _wrong(place, "a table", problems)
    hints = get_type_hints(cls)
    fields = {field.name: field for field in attrs.fields(cls) if field.init}
    keys = {_key(name, values): name for name in fields}
    problems += [f"{place}/{key} is unknown{did_you_mean(key[:64], keys)}" for key in values if key not in keys]
    arguments: dict[str, Any] = {}
    before = len(problems)
    for key, name in keys.items():
        if key in values:
            arguments[fields[name].alias] = _value(hints[name], values[key], f"{place}/{key}", problems)
        elif fields[name].default is attrs.NOTHING:
            problems.append(f"{place}/{key} is missing")
    return cls(**arguments) if len(problems) == before else None


def _key(name: str, values: Mapping[str, Any]) -> str:
    first, *rest = name.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    return name if name in values else camel


def _value(wanted: Any, value: Any, place: str, problems: list[str]) -> Any:
    origin, arguments = get_origin(wanted) or wanted, get_args(wanted)
    if wanted is Any:
        return value
    if origin in (Union, UnionType):
        return _union(arguments, value, place, problems)
    if origin is Literal:
        return _literal(arguments, value, place, problems)
    return _composed(origin, arguments, value, place, problems)


def _composed(origin: Any, arguments: tuple[Any, ...], value: Any, place: str, problems: list[str]) -> Any:
    if origin in _SEQUENCES:
        return _sequence(origin, arguments, value, place, problems)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments, value, place, problems)
    if attrs.has(origin):
        return _attrs(origin, value, place, problems)
    return _scalar(origin, value, place, problems)


def _union(options: tuple[Any, ...], value: Any, place: str, problems: list[str]) -> Any:
    if value is None and NoneType in options:
        return None
    tries: list[str] = []
    for option in (one for one in options if one is not NoneType):
        missed: list[str] = []
        made = _value(option, value, place, missed)
        if not missed:
            return made
        tries += missed
    problems.append(" or ".join(dict.fromkeys(tries)))
    return None


def _literal(words: tuple[Any, ...], value: Any, place: str, problems: list[str]) -> Any:
    if any(type(word) is type(value) and word == value for word in words):
        return value
    return _wrong(place, "one of " + ", ".join(map(str, words)), problems)


def _sequence(origin: Any, arguments: tuple[Any, ...], value: Any, place: str, problems: list[str]) -> Any:
    if not isinstance(value, list | tuple):
        return _wrong(place, "a list", problems)
    item = arguments[0] if arguments else Any
    return _SEQUENCES[origin](_value(item, one, f"{place}/{at}", problems) for at, one in enumerate(value))


def _mapping(arguments: tuple[Any, ...], value: Any, place: str, problems: list[str]) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(place, "a table", problems)
    item = arguments[1] if arguments else Any
    return MappingProxyType({key: _value(item, one, f"{place}/{key}", problems) for key, one in value.items()})


def _scalar(wanted: Any, value: Any, place: str, problems: list[str]) -> Any:
    try:
        if maker := _maker(wanted, value):
            return maker(value)
    except (TypeError, ValueError, ArithmeticError):
        return _wrong(place, _name(wanted), problems)
    if isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return value
    return _wrong(place, "declared Secret: it is a secret" if isinstance(value, Secret) else _name(wanted), problems)


def _maker(wanted: Any, value: Any) -> Callable[[Any], Any] | None:
    """Return what makes this of a plain value; ``None`` where the value must be it already."""
    if wanted is Decimal:
        return exact
    if (wanted is Path and isinstance(value, str)) or (isinstance(wanted, type) and issubclass(wanted, Enum)):
        return wanted
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return float if wanted is float and is_whole else None


def _name(wanted: Any) -> str:
    return f"a {getattr(wanted, '__name__', wanted)}"


def _wrong(place: str, expected: str, problems: list[str]) -> None:
    problems.append(f"{place or '/'} must be {expected}")

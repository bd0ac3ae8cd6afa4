"""Domain objects as the JSON of the wire and back, strictly, each fault with its JSON pointer.

It is the JSON of ``gatehook.kinds.codec`` with three additions: a filter says its operator (``{"op": "eq", …}``), an
item of a stream says its type, and the ``entry_id`` of an account is the reader's own, whatever is written there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from types import NoneType
from types import UnionType
from typing import Any
from typing import Final
from typing import Literal
from typing import Union
from typing import get_args
from typing import get_origin

import attrs
from cattrs import AttributeValidationNote
from cattrs import BaseValidationError
from cattrs import Converter
from cattrs import IterableValidationError
from cattrs import IterableValidationNote
from cattrs.errors import ForbiddenExtraKeysError

from gatehook.kinds import filters
from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.codec import new_converter
from gatehook.kinds.filters import Filter
from gatehook.kinds.instruments import AccountKey

#: operator on the wire -> its class
FILTERS: Final[Mapping[str, type]] = {
    cls.__name__.lower(): cls
    for cls in (
        filters.Eq,
        filters.Ne,
        filters.Lt,
        filters.Le,
        filters.Gt,
        filters.Ge,
        filters.In,
        filters.Exists,
        filters.And,
        filters.Or,
        filters.Not,
    )
}
_OPERATORS: Final = {cls: word for word, cls in FILTERS.items()}
_SCALARS: Final = frozenset({str, int, float, bool, NoneType})


class NotOnTheWire(ValueError):
    """A value is not what the wire says it is. ``pointer`` leads to it; ``""`` is the whole."""

    def __init__(self, pointer: str, what: str) -> None:
        super().__init__(f"{pointer or 'the whole'}: {what}")
        self.pointer = pointer
        self.what = what


class WireCodec:
    """Reads and writes for one entry: accounts that are read belong to ``entry_id``."""

    def __init__(self, entry_id: str = "") -> None:
        #: Whose every account that is read becomes; a server learns it when it is opened.
        self.entry_id = entry_id
        self._converter = self._made()

    def dump(self, value: Any, annotation: Any = None) -> Any:
        """Turn a domain object into plain JSON values."""
        return self._converter.unstructure(value, unstructure_as=annotation)

    def load(self, annotation: Any, data: Any, *, at: str = "") -> Any:
        """Build a domain object from plain JSON values; ``at`` is the pointer to ``data``.

        Raises:
            NotOnTheWire: naming the first thing that is wrong, by its JSON pointer.
        """
        try:
            return self._converter.structure(data, annotation)
        except BaseValidationError as error:
            pointer, what = next(_faults(error, at))
            raise NotOnTheWire(pointer, what) from None
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            raise NotOnTheWire(at, _said(error)) from None

    def dump_capabilities(self, capabilities: Any) -> Any:
        """Write capabilities by the manifest's keys; ``None`` (as the manifest declares) stays ``None``."""
        if capabilities is None:
            return None
        return {word.key: self.dump(getattr(capabilities, word.field)) for word in vocabulary(type(capabilities))}

    def load_capabilities(self, cls: type, data: Any, *, at: str = "") -> Any:
        """Read capabilities by the manifest's keys; what is absent is unsupported.

        Raises:
            NotOnTheWire: for an unknown key or a wrong value.
        """
        if data is None:
            return None
        if not isinstance(data, dict):
            raise NotOnTheWire(at, f"expected an object, found {type(data).__name__}")
        words = {word.key: word.field for word in vocabulary(cls)}
        hints = {field.name: field.type for field in attrs.fields(attrs.resolve_types(cls))}
        unknown = sorted(set(data) - set(words))
        if unknown:
            raise NotOnTheWire(f"{at}/{_escaped(unknown[0])}", "there is no such capability")
        return cls(
            **{
                words[key]: self.load(hints[words[key]], value, at=f"{at}/{_escaped(key)}")
                for key, value in data.items()
            }
        )

    def _made(self) -> Converter:
        converter = new_converter()
        converter.register_structure_hook_func(_is_sequence, lambda value, t: _sequence(converter, value, t))
        converter.register_unstructure_hook_func(
            _is_sequence, lambda value: [converter.unstructure(one) for one in value]
        )
        converter.register_structure_hook(float, lambda value, _: _number(value))
        converter.register_structure_hook_func(_is_scalar_union, _scalar)
        converter.register_unstructure_hook_func(_is_scalar_union, _plain)
        converter.register_structure_hook_func(_is_word_or_bool, _word_or_bool)
        converter.register_structure_hook(AccountKey, lambda value, _: self._account(value))
        self._with_filters(converter)
        return converter

    def _with_filters(self, converter: Converter) -> None:
        by_class = {cls: converter.get_structure_hook(cls) for cls in FILTERS.values()}
        written = {cls: converter.get_unstructure_hook(cls) for cls in FILTERS.values()}

        def read(value: Any, _: Any) -> Any:
            if not isinstance(value, dict) or value.get("op") not in FILTERS:
                raise ValueError(f"a filter is an object whose op is one of {', '.join(FILTERS)}")
            cls = FILTERS[value["op"]]
            return by_class[cls]({key: one for key, one in value.items() if key != "op"}, cls)

        def write(value: Any) -> Any:
            return {"op": _OPERATORS[type(value)], **written[type(value)](value)}

        for cls in FILTERS.values():
            converter.register_unstructure_hook(cls, write)
        converter.register_structure_hook_func(lambda t: t == Filter, read)
        converter.register_structure_hook_func(
            lambda t: t == Filter | None, lambda v, t: None if v is None else read(v, t)
        )

    def _account(self, value: Any) -> AccountKey:
        if not isinstance(value, dict) or not isinstance(value.get("account_id"), str):
            raise TypeError("an account is an object with the text account_id")
        if not set(value) <= {"entry_id", "account_id"} or not isinstance(value.get("entry_id", ""), str):
            raise ValueError("an account has account_id, and may have the text entry_id")
        return AccountKey(self.entry_id, value["account_id"])


def _is_sequence(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return origin in (Sequence, list, frozenset) or (origin is tuple and get_args(annotation)[-1:] == (Ellipsis,))


def _sequence(converter: Converter, value: Any, annotation: Any) -> Any:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {type(value).__name__}")
    member = get_args(annotation)[0]
    read = converter.get_structure_hook(member)
    try:
        found = [read(one, member) for one in value]
    except Exception:  # noqa: BLE001  asked again one by one, for the place
        _raise_with_place(read, value, member)
    origin = get_origin(annotation)
    return frozenset(found) if origin is frozenset else found if origin is list else tuple(found)


def _raise_with_place(read: Callable[[Any, Any], Any], value: list[Any], member: Any) -> None:
    for index, one in enumerate(value):
        try:
            read(one, member)
        except Exception as error:  # noqa: BLE001  named with its place
            error.__notes__ = [*getattr(error, "__notes__", []), IterableValidationNote(f"@ {index}", index, member)]
            raise IterableValidationError("in a list", [error], list) from None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not math.isfinite(value):
        raise TypeError(f"expected a number, found {type(value).__name__}")
    return float(value)


def _is_scalar_union(annotation: Any) -> bool:
    if get_origin(annotation) not in (Union, UnionType):
        return False
    parts = get_args(annotation)
    plain = [one for one in parts if one in _SCALARS]
    rest = [one for one in parts if one not in _SCALARS]
    return len(plain) > 2 and all(get_origin(one) is tuple and _is_scalar_union(get_args(one)[0]) for one in rest)  # noqa: PLR2004  X | None is no union of scalars


def _scalar(value: Any, annotation: Any) -> Any:
    if isinstance(value, list):
        for one in get_args(annotation):
            if get_origin(one) is tuple:
                return tuple(_scalar(member, get_args(one)[0]) for member in value)
    if isinstance(value, Decimal):
        value = float(value)
    if type(value) not in _SCALARS.intersection(get_args(annotation)):
        raise TypeError(f"expected a scalar, found {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is finite")
    return value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _is_word_or_bool(annotation: Any) -> bool:
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return bool in parts and any(get_origin(one) is Literal for one in parts)


def _word_or_bool(value: Any, annotation: Any) -> Any:
    words = [word for one in get_args(annotation) if get_origin(one) is Literal for word in get_args(one)]
    if not isinstance(value, bool) and value not in words:
        raise ValueError(f"expected true, false or {', '.join(map(repr, words))}")
    return value


def _faults(error: BaseException, at: str) -> Iterator[tuple[str, str]]:
    """Yield the faults of a failed reading: JSON pointer and what is wrong."""
    if not isinstance(error, BaseValidationError):
        yield at, _said(error)
        return
    for inner in error.exceptions:
        if isinstance(inner, ForbiddenExtraKeysError):
            yield f"{at}/{_escaped(min(inner.extra_fields))}", "there is no such field"
            continue
        place = _place(inner)
        yield from _faults(inner, at if place is None else f"{at}/{_escaped(place)}")


def _place(error: BaseException) -> str | None:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return note.name
        if isinstance(note, IterableValidationNote):
            return str(note.index)
    return None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _said(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, AttributeError) or (isinstance(error, TypeError) and "not iterable" in str(error)):
        return "expected an object"
    return " ".join(str(error).split())[:300] or type(error).__name__

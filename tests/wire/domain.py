"""Any domain object: strategies derived from the annotations."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from types import UnionType
from typing import Annotated
from typing import Literal
from typing import Union
from typing import get_args
from typing import get_origin
from typing import get_type_hints

import attrs
from hypothesis import reject
from hypothesis import strategies as st

from gatehook.kinds.filters import Eq
from gatehook.kinds.filters import Exists
from gatehook.kinds.filters import Filter
from gatehook.kinds.filters import In
from gatehook.kinds.filters import Not
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId

ENTRY = "entry"
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
_PLAIN = {
    str: st.text(max_size=12),
    int: st.integers(-(10**9), 10**9),
    float: _NUMBER,
    bool: st.booleans(),
    NoneType: st.none(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=8),
    InstrumentId: st.builds(InstrumentId, st.from_regex(r"[A-Z/.]{0,5}[A-Z]", fullmatch=True), st.sampled_from("AB")),
    AccountKey: st.builds(AccountKey, st.just(ENTRY), st.text(max_size=8)),
}
_SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8) | _NUMBER
_LEAF = st.builds(Eq, st.just("kind"), _SCALAR) | st.builds(In, st.just("tags"), st.lists(_SCALAR, max_size=3))
_FILTER = _LEAF | st.builds(Not, _LEAF) | st.builds(Exists, st.just("meta.x"))


@cache
def any_of(annotation):  # noqa: C901, PLR0911  one line for each form of annotation
    """Return a strategy of the values of an annotation."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if annotation == Filter:
        return _FILTER
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return st.integers(0, 4 * 10**18)
    if origin in (Union, UnionType):
        if NoneType in arguments and set(arguments) - {NoneType} == set(get_args(Filter)):
            return st.none() | _FILTER
        return st.one_of([any_of(one) for one in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is frozenset:
        return st.frozensets(any_of(arguments[0]), max_size=3)
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        return st.tuples(*[any_of(one) for one in arguments])
    if origin in (tuple, list, Sequence):
        return st.lists(any_of(arguments[0]), max_size=3).map(list if origin is list else tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=5), any_of(arguments[1]), max_size=3)
    if issubclass(annotation if origin is None else origin, StrEnum):
        return st.sampled_from(list(annotation))
    return _objects(origin or annotation, arguments)


def _objects(cls, arguments):
    hints = get_type_hints(cls, include_extras=True)
    if arguments:
        hints["items"] = tuple[arguments[0], ...]
    fields = {one.name: any_of(hints[one.name]) for one in attrs.fields(cls) if one.name != "raw"}

    def make(**values):
        try:
            return cls(**values)
        except ValueError:  # a rule between its fields
            reject()

    return st.builds(make, **fields)

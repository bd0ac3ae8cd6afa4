"""What a provider says it can do, against what its manifest declares. What holds is what both say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.capabilities import CapabilityKey
from gatehook.kinds.capabilities import vocabulary

_STRENGTH: Final = {False: 0, None: 0, AbsenceProof.NONE: 0, "polled": 1, "price": 1, "whole": 1}


@attrs.frozen
class Negotiated:
    """The capabilities that hold, and the manifest keys in which the provider differs from them."""

    effective: Any
    narrower: tuple[str, ...]
    wider: tuple[str, ...]


def negotiate(declared: Any, actual: Any) -> Negotiated:
    """Compare. ``actual`` is ``None`` for "as declared".

    Raises:
        TypeError: when it is something else than an instance of the kind's capabilities.
    """
    if actual is None:
        return Negotiated(declared, (), ())
    if type(actual) is not type(declared):
        wanted = type(declared).__name__
        raise TypeError(f"capabilities() returned {type(actual).__name__}; expected {wanted} or None")
    differences = list(_differences(declared, actual))
    effective = attrs.evolve(declared, **{word.field: value for word, value, _, _ in differences})
    narrower = tuple(word.key for word, _, narrow, _ in differences if narrow)
    wider = tuple(word.key for word, _, _, wide in differences if wide)
    return Negotiated(effective, narrower, wider)


def _differences(declared: object, actual: object) -> Iterator[tuple[CapabilityKey, Any, bool, bool]]:
    for word in vocabulary(type(declared)):
        said, real = getattr(declared, word.field), getattr(actual, word.field)
        if said != real:
            yield (word, *(_lower(said, real) if word.bounds else _meet(said, real)))


def _lower(said: int | None, real: int | None) -> tuple[int | None, bool, bool]:
    return min((one for one in (said, real) if one is not None), default=None), False, False


def _meet(said: Any, real: Any) -> tuple[Any, bool, bool]:
    if isinstance(said, tuple):
        both = tuple(one for one in said if one in real)
        return both, len(both) < len(said), any(one not in said for one in real)
    if type(said) is int and type(real) is int:
        return min(said, real), real < said, real > said
    narrower = _strength(real) < _strength(said)
    wider = _strength(real) > _strength(said)
    if narrower == wider:  # two words of the same strength: another language, another proof
        return real, True, False
    return (real if narrower else said), narrower, wider


def _strength(value: Any) -> int:
    return _STRENGTH.get(value, 2)

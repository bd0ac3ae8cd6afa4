"""JSON from outside, read exactly: numbers with a point as ``Decimal``, no NaN, no infinity, no key twice."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from typing import Final
from typing import NoReturn

#: Deeper nesting is refused: no venue needs it, and it would end the interpreter's stack.
DEEPEST: Final = 64
#: A Decimal of more digits is no price; made to an int it would take seconds.
LONGEST_NUMBER: Final = 400
#: ``1E+999999999`` is seven letters, and a gigabyte once it is written out.
LARGEST_EXPONENT: Final = 400


class NotExactJson(ValueError):
    """The text is not JSON as RFC 8259 wants it, or not exact. The message holds a place, never the text."""


def exact_json(text: str | bytes) -> Any:
    """Read JSON text; numbers with a fraction or an exponent are ``Decimal``, others ``int``.

    Raises:
        NotExactJson: for what is no JSON, a key that stands twice, NaN, an infinity, a half character (a lone
            surrogate), a number out of reason or nesting deeper than ``DEEPEST``.
    """
    value = exact_value(text)
    _check(value)
    return value


def exact_value(text: str | bytes) -> Any:
    """Read JSON text as ``exact_json`` does, but for its walk over the whole: large messages are read by this.

    Raises:
        NotExactJson: as ``exact_json``, but not for half characters, and of deep nesting only for what ends the stack.
    """
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode("utf-8"))
    except NotExactJson:
        raise
    except UnicodeDecodeError as error:
        raise NotExactJson(f"byte {error.start + 1} is no UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotExactJson(f"it is no JSON: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotExactJson(f"it is nested deeper than {DEEPEST}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotExactJson("a key stands twice in one object")
    return made


def _constant(word: str) -> NoReturn:
    raise NotExactJson(f"{word} is no number in JSON")


def _fraction(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise NotExactJson("a number has too many digits")
    number = Decimal(text)
    if number and abs(number.adjusted()) > LARGEST_EXPONENT:
        raise NotExactJson("a number's exponent is out of reason")
    return number


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise NotExactJson("a number has too many digits")
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_fraction, parse_int=_whole
)


def _check(value: Any) -> None:
    """Walk level by level: nesting has a bound, and texts can be written again as UTF-8."""
    level = [value]
    for _ in range(DEEPEST):
        if not level:
            return
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _whole_characters(one)
            elif isinstance(one, dict):
                below.extend(one.keys())
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
        level = below
    if level:
        raise NotExactJson(f"it is nested deeper than {DEEPEST}")


def _whole_characters(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotExactJson("a text holds half a character") from None

"""Strict JSON: no duplicate keys, no NaN, no byte order mark, no half characters, no deep nesting.

``decode`` is fast on good text. Where a key stands (``key_lines``) is only worked out when something is wrong.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from typing import Final
from typing import NamedTuple
from typing import NoReturn

import attrs

from gatehook.diagnostics.codes import manifest as codes
from gatehook.diagnostics.records import Code

DEEPEST: Final = 64
# An unfinished string matches up to the end: a pattern that could fail would be tried again at each later quote.
_STRING: Final = r'"(?:[^"\\]|\\.?)*"?'
_TOKEN: Final = re.compile(_STRING + r'|[\[\]{},:\n]|[^\s\[\]{},:"]+', re.DOTALL)
_BRACKET: Final = re.compile(_STRING.encode() + rb"|[\[\]{}]", re.DOTALL)
_NUMBER: Final = re.compile(_STRING + r"|-?(?:NaN|Infinity)|-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)", re.DOTALL)


class Finding(NamedTuple):
    """Something wrong with the text: a code, its facts, and where."""

    code: Code
    facts: Mapping[str, Any] = MappingProxyType({})
    pointer: str | None = None
    line: int | None = None


class Refused(ValueError):
    """The bytes are not strict JSON; ``findings`` say why."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(*findings)


class _Suspicious(ValueError):
    """The decoder met something that a second, slower look will name."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Suspicious
    return made


def _constant(_text: str) -> NoReturn:
    raise _Suspicious


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Suspicious
    return value


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def decode(data: bytes) -> tuple[Any, str]:
    """Return the value and the text it was made from.

    Raises:
        Refused: with every finding.
    """
    text = _text(data)
    try:
        value = _value(data, text)
    except RecursionError:
        raise _too_deep(data) from None
    except _Suspicious:
        raise Refused(*_named(text)) from None
    except json.JSONDecodeError as error:
        where = f"{error.msg} in column {error.colno}"
        raise Refused(Finding(codes.NOT_JSON, {"reason": where}, line=error.lineno)) from None
    except ValueError:  # an integer of more digits than the interpreter converts
        raise Refused(Finding(codes.NOT_JSON, {"reason": "a number has too many digits"})) from None
    if data.count(b"{") + data.count(b"[") > DEEPEST and _is_deep(value):
        raise _too_deep(data)
    if b"\\" in data and (b"\\ud" in data or b"\\uD" in data):
        _check_surrogates(value, text)
    return value, text


class _Counting(threading.local):
    """A decoder that notes the size of every object it makes; each thread has its own."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        note = self.sizes.append

        def noted(made: dict[str, Any]) -> dict[str, Any]:
            note(len(made))
            return made

        self.decoder = json.JSONDecoder(object_hook=noted, parse_constant=_constant, parse_float=_float)


_COUNTING: Final = _Counting()
_WHITESPACE: Final = b" \t\r\n"


def _value(data: bytes, text: str) -> Any:
    """Decode an object without a look at each key, at half the cost, where counting proves that none is there twice.

    Every key is a quote before a colon. When there are no more of these than keys in the value, no key was lost.
    """
    if text.startswith("{"):
        sizes = _COUNTING.sizes
        sizes.clear()
        try:
            value, end = _COUNTING.decoder.raw_decode(text)
        except (ValueError, RecursionError):
            return _DECODER.decode(text)
        keys = data.translate(None, _WHITESPACE).count(b'":')
        if keys == sum(sizes) and (end == len(text) or text[end:] == "\n"):
            return value
    return _DECODER.decode(text)


def _text(data: bytes) -> str:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Refused(Finding(codes.NOT_UTF8, {"reason": "it starts with a byte order mark"}, line=1))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(Finding(codes.NOT_UTF8, {"reason": f"{error.reason}, byte {error.start}"}, line=line)) from None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer) if type(inner) in _CONTAINERS]
        if not level:
            return False
    return True


_CONTAINERS: Final = (dict, list)


def _inside(container: Any) -> Iterable[Any]:
    return container.values() if type(container) is dict else container


def _too_deep(data: bytes) -> Refused:
    depth = 0
    for found in _BRACKET.finditer(data):
        if found[0] in b"[{":
            depth += 1
            if depth > DEEPEST:
                break
        elif found[0] in b"]}":
            depth -= 1
    line = data.count(b"\n", 0, found.start()) + 1
    return Refused(Finding(codes.TOO_DEEP, {"cap": DEEPEST}, line=line))


def _check_surrogates(value: Any, text: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        found = re.search(r"\\u[dD][89a-fA-F]", text)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise Refused(Finding(codes.LONE_SURROGATE, line=line)) from None


def _named(text: str) -> Iterator[Finding]:
    """Say which keys are there twice and which numbers are none, in text that is JSON but for them."""
    seen: set[str] = set()
    for pointer, line in _keys(text):
        if pointer in seen:
            yield Finding(codes.DUPLICATE_KEY, {"key": _last(pointer)}, pointer, line)
        seen.add(pointer)
    for found in _NUMBER.finditer(text):
        if found[0][0] != '"' and not math.isfinite(float(found[0])):
            yield Finding(codes.NOT_FINITE, {"value": found[0][:40]}, line=text.count("\n", 0, found.start()) + 1)


def key_lines(text: str) -> dict[str, int]:
    """Return the line of every key and list item by its JSON pointer, for text that decodes."""
    return dict(_keys(text))


def _last(pointer: str) -> str:
    return pointer.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")


@attrs.define
class _Level:
    """An object (its current key) or a list (its current index) that is being walked through."""

    pointer: str
    is_list: bool
    step: str = ""
    index: int = 0
    expects_key: bool = True

    def below(self) -> str:
        return f"{self.pointer}/{self.index if self.is_list else self.step}"


def _keys(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    levels: list[_Level] = []
    for found in _TOKEN.finditer(text):
        mark = found[0]
        if mark == "\n":
            line += 1
            continue
        if levels and _names_something(levels[-1], mark):
            yield levels[-1].below(), line
        if mark in ("{", "["):
            levels.append(_Level(levels[-1].below() if levels else "", mark == "["))
        elif mark in ("}", "]"):
            del levels[-1:]


def _names_something(level: _Level, mark: str) -> bool:
    if mark == ",":
        level.index += 1
        level.expects_key = True
    elif mark == ":":
        level.expects_key = False
    elif level.is_list:
        return mark != "]"
    elif level.expects_key and mark[0] == '"':
        level.step = _plain(mark).replace("~", "~0").replace("/", "~1")
        return True
    return False


def _plain(mark: str) -> str:
    try:
        return str(json.loads(mark))
    except ValueError:  # a second fault further on; this name is only shown
        return mark.strip('"')

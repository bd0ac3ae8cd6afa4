"""The line on which each key of a TOML text stands.

The text has been accepted by ``tomllib``; this scanner only finds the keys again, which ``tomllib`` does not tell.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Final

Key = tuple[str, ...]

_TOKEN: Final = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
      | (?P<newline>\n)
      | (?P<open>[\[{])
      | (?P<close>[\]}])
      | (?P<bare>[^\s\#"'\[\]{}=.,]+)
      | (?P<mark>[=.,])""",
    re.VERBOSE | re.DOTALL,
)
Token = tuple[str, str, int]
_OPENS_ARRAY: Final = "["
_OPENS_TABLE: Final = "{"


def line_numbers(text: str) -> dict[Key, int]:
    """Return the 1-based line of every key, table header and array-of-tables element (its index as text)."""
    found: dict[Key, int] = {}
    table: Key = ()
    counts: dict[Key, int] = {}
    for statement in _statements(text):
        if statement[0][0] == "open":
            doubled = len(statement) > 1 and statement[1][0] == "open"
            table = _inside_arrays(_key(statement), counts)
            if doubled:
                counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, statement[0][2])
                table = (*table, str(counts[table]))
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], statement[0][2])
        else:
            end = next((at for at, one in enumerate(statement) if one[1] == "=" and one[0] == "mark"), len(statement))
            key = (*table, *_key(statement[:end]))
            for depth in range(len(table) + 1, len(key) + 1):
                found.setdefault(key[:depth], statement[0][2])
            _within(statement[end + 1 :], key, found)
    return found


def _statements(text: str) -> Iterator[list[Token]]:
    line = 1
    depth = 0
    statement: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup or "", match.group()
        if kind == "newline" and depth == 0 and statement:
            yield statement
            statement = []
        elif kind not in {"newline", "comment"}:
            statement.append((kind, token, line))
        depth += (kind == "open") - (kind == "close")
        line += token.count("\n")
    if statement:
        yield statement


def _key(tokens: list[Token]) -> Key:
    return tuple(_name(kind, token) for kind, token, _ in tokens if kind in {"bare", "string"})


def _name(kind: str, token: str) -> str:
    return next(iter(tomllib.loads(f"{token} = 0"))) if kind == "string" else token


def _inside_arrays(key: Key, counts: dict[Key, int]) -> Key:
    inside: Key = ()
    for at, part in enumerate(key):
        inside = (*inside, part)
        if inside in counts and at < len(key) - 1:
            inside = (*inside, str(counts[inside]))
    return inside


def _within(value: list[Token], key: Key, found: dict[Key, int]) -> None:
    """Note the elements of an array, and the keys of an inline table, that spread over several lines."""
    stack: list[list[str]] = []  # of open brackets: what opened it, and the element or key one is at
    for at, (kind, token, line) in enumerate(value):
        if kind == "open":
            _note(stack, key, found, line)
            stack.append([token, "0" if token == _OPENS_ARRAY else ""])
        elif kind == "close":
            stack.pop()
        elif (kind, token) == ("mark", ",") and stack[-1][0] == _OPENS_ARRAY:
            stack[-1][1] = str(int(stack[-1][1]) + 1)
        elif kind in {"bare", "string"} and stack and stack[-1][0] == _OPENS_TABLE and _is_key(value, at):
            stack[-1][1] = _name(kind, token)
            _note(stack, key, found, line)
        elif kind in {"bare", "string"}:
            _note(stack, key, found, line)


def _is_key(value: list[Token], at: int) -> bool:
    return at + 1 < len(value) and value[at + 1][:2] == ("mark", "=")


def _note(stack: list[list[str]], key: Key, found: dict[Key, int], line: int) -> None:
    if stack and all(step for _, step in stack):
        found.setdefault((*key, *(step for _, step in stack)), line)

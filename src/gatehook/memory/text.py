"""The words of a text, the same for every memory: any text is a safe query, and text in every script is found.

A query is a list of units; a unit is what stood between two spaces: one word, or a phrase of several (``BTC/USDT``,
``ORD-2024-001``, a run of Chinese). Nothing of a query's punctuation survives, so none of it can mean something to a
search engine.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import attrs

#: A query is cut to this many words; what follows is ignored.
MAX_WORDS: Final = 64
#: A run of more words than this without a space is no phrase (a pasted path, a line of numbers).
MAX_PHRASE: Final = 8
_MAX_QUERY_CHARS: Final = 10_000
_CJK_CLASS: Final = (
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
_CJK: Final = re.compile(f"[{_CJK_CLASS}]")
_WORD: Final = re.compile(rf"[{_CJK_CLASS}]|[^\W_{_CJK_CLASS}]+")
# What is no letter or digit becomes a space; of ASCII this and ``split`` are three times as fast as ``_WORD``.
_ASCII: Final = {code: chr(code) if chr(code).isalnum() else " " for code in range(128)}
#: English words that carry no meaning of their own.
# fmt: off
STOP_WORDS: Final = frozenset(
    [
        "a", "about", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by",
        "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i",
        "if", "in", "into", "is", "it", "its", "just", "me", "my", "no", "nor", "not", "now", "of", "off", "on", "or",
        "our", "out", "over", "own", "she", "should", "so", "some", "such", "than", "that", "the", "their", "them",
        "then", "there", "these", "they", "this", "those", "to", "too", "up", "very", "was", "we", "were", "what",
        "when", "where", "which", "while", "who", "whom", "why", "will", "with", "would", "you", "your",
    ]
)
# fmt: on


@attrs.frozen
class Unit:
    """Words that stood together; more than one are a phrase. ``cjk``: all are single characters of a CJK script."""

    words: tuple[str, ...]
    cjk: bool = False


class _Fold(dict[int, str]):
    """Maps each character to its plain lower-case form of the same length, computed once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = unicodedata.normalize("NFD", char)[0].lower()
        self[code] = plain if len(plain) == 1 and not _CJK.match(char) else char
        return self[code]


#: A cache, bounded by the number of characters there are.
_FOLD: Final = _Fold()


def fold(text: str) -> str:
    """Return text without case and diacritics; positions stay what they were."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def spaced(text: str) -> str:
    """Return text with every CJK character a word of its own, for engines that split at spaces."""
    return text if text.isascii() else _CJK.sub(r" \g<0> ", text)


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text, each CJK character one of its own."""
    return folded.translate(_ASCII).split() if folded.isascii() else _WORD.findall(folded)


def units_of(text: str) -> tuple[Unit, ...]:
    """Return the distinct units of a query, in order. Stop words are left out where another unit remains."""
    found: dict[Unit, None] = {}
    words = 0
    for chunk in text[:_MAX_QUERY_CHARS].split():
        for unit in _units(chunk):
            words += len(unit.words)
            if words > MAX_WORDS:
                return _without_stop_words(found)
            found[unit] = None
    return _without_stop_words(found)


def _units(chunk: str) -> tuple[Unit, ...]:
    words = tuple(words_of(fold(chunk)))
    if not words:
        return ()
    if all(_CJK.match(word) for word in words):
        return (Unit(words[:MAX_WORDS], cjk=True),)
    if len(words) <= MAX_PHRASE:
        return (Unit(words),)
    return tuple(Unit((word,)) for word in words)


def _without_stop_words(found: dict[Unit, None]) -> tuple[Unit, ...]:
    telling = tuple(unit for unit in found if len(unit.words) > 1 or unit.words[0] not in STOP_WORDS)
    return telling or tuple(found)


def parts_of(unit: Unit) -> tuple[tuple[str, ...], ...]:
    """Return what of a unit is worth finding alone: its words, or the pairs of neighbours in a CJK run."""
    if unit.cjk and len(unit.words) > 1:
        return tuple(zip(unit.words, unit.words[1:], strict=False))
    return tuple((word,) for word in unit.words)

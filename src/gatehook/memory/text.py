"""The words of a text, the same for every memory: any text is a safe query, and text in every script is found.

A query is a list of units; a unit is what stood between two spaces: one word, or a phrase of several (``BTC/USDT``,
``ORD-2024-001``, a run of Chinese). Nothing of a query's punctuation survives, so none of it can mean something to a
search engine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import attrs

from gatehook.memory.spelling import other_spellings

#: A query is cut to this many words; what follows is ignored.
MAX_WORDS: Final = 64
#: A run of more words than this without a space is no phrase (a pasted path, a line of numbers).
MAX_PHRASE: Final = 8
_MAX_QUERY_CHARS: Final = 10_000
#: What is no longer is remembered when it was taken apart, and may be spelled otherwise.
_SHORT: Final = 64
_CJK_CLASS: Final = (
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
_CJK: Final = re.compile(f"[{_CJK_CLASS}]")
_WORD: Final = re.compile(rf"[{_CJK_CLASS}]|[^\W_{_CJK_CLASS}]+")
# What is no letter or digit becomes a space; of ASCII this and ``split`` are three times as fast as ``_WORD``.
_ASCII: Final = {code: chr(code) if chr(code).isalnum() else " " for code in range(128)}
#: A segment of a query's text: a run of CJK characters, or of anything else.
_RUN: Final = re.compile(f"[{_CJK_CLASS}]+|[^{_CJK_CLASS}]+")
_MARKS: Final = re.compile("[\u0300-\u036f]")
_MARKS_AND_TWOFOLD: Final = re.compile("[\u0300-\u036fßẞæÆœŒþÞ]")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_APOSTROPHE: Final = re.compile(r"(?<=[^\W\d_])['’`ʼ](?=[^\W\d_])")  # noqa: RUF001  as they are typed
#: What an apostrophe parts from a word, in front of it or behind it, says nothing.
_CLITICS: Final = frozenset(["s", "d", "m", "ll", "re", "ve", "l", "j", "c", "n", "t", "qu"])
#: What Yahoo puts behind pairs and futures.
_SUFFIX: Final = re.compile(r"(?<=\w)=[xf](?=\W*$)")
_TICKER: Final = re.compile(r"[$#]?[A-Z]{2,5}")
#: Operators of other search engines, written in capitals out of habit.
_OPERATORS: Final = frozenset(["and", "or", "not"])
#: Words that carry no meaning of their own: English ones, and of some other languages those that English does not have.
# fmt: off
STOP_WORDS: Final = frozenset(
    [
        "a", "about", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been", "being",
        "but", "by", "can", "cant", "could", "did", "didnt", "do", "does", "doesnt", "doing", "dont", "for", "from",
        "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how", "i", "if", "im", "in", "into",
        "is", "isnt", "it", "its", "ive", "just", "let", "many", "me", "might", "much", "must", "my", "no", "nor",
        "not", "now", "of", "off", "on", "or", "our", "ours", "out", "over", "own", "please", "shall", "she", "should",
        "show", "so", "some", "such", "tell", "than", "that", "the", "their", "them", "then", "there", "these", "they",
        "this", "those", "to", "too", "up", "very", "was", "we", "were", "what", "whats", "when", "where", "which",
        "while", "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "yours",
        # German
        "aber", "auf", "aus", "bei", "das", "dass", "dem", "der", "des", "ein", "eine", "einem", "einen", "einer",
        "fur", "haben", "ich", "im", "ist", "mit", "nach", "nicht", "oder", "sich", "sind", "und", "uns", "unser",
        "vom", "von", "wann", "warum", "weil", "wie", "wir", "wird", "wo", "wurde", "zu", "zum", "zur",
        # French, Spanish, Italian, Portuguese
        "au", "aux", "avec", "che", "como", "con", "dans", "del", "della", "donde", "du", "elle", "est", "et", "il",
        "la", "las", "le", "les", "los", "mais", "nous", "ou", "para", "pas", "perche", "por", "pourquoi", "quand",
        "que", "qui", "sont", "sur", "una", "une",
        # Polish
        "czy", "dlaczego", "dla", "gdzie", "jak", "jest", "kiedy", "nie", "oraz", "sie",
        # Russian
        "а", "в", "во", "где", "для", "до", "за", "и", "из", "к", "как", "когда", "на", "не", "но", "о", "об", "он",  # noqa: RUF001  Russian
        "от", "по", "почему", "при", "с", "со", "у", "что", "это",  # noqa: RUF001  Russian
    ]
)
# fmt: on
_SPECIAL: Final = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t"}  # noqa: RUF001  Turkish
#: Letters that are two letters elsewhere.
_TWOFOLD: Final = str.maketrans(
    {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
)
#: Of these FTS5 itself makes what ``fold`` makes.
_WESTERN: Final = range(0xC0, 0x180)
_FULL_WIDTH: Final = range(0xFF01, 0xFF5F)
_FULL_WIDTH_SHIFT: Final = 0xFEE0


@attrs.frozen
class Unit:
    """Words that stood together; more than one are a phrase. ``cjk``: all are single characters of a CJK script.
    ``others`` are spellings of the same, each as good as ``words``.
    """

    words: tuple[str, ...]
    cjk: bool = False
    others: tuple[tuple[str, ...], ...] = ()

    @property
    def spellings(self) -> tuple[tuple[str, ...], ...]:
        """All of them; a document that has one has the unit."""
        return (self.words, *self.others)


class _Fold(dict[int, str]):
    """Maps each character to its plain lower-case form of the same length, computed once."""

    def __missing__(self, code: int) -> str:
        char = chr(code - _FULL_WIDTH_SHIFT) if code in _FULL_WIDTH else chr(code)
        plain = unicodedata.normalize("NFD", char)[0].lower()
        self[code] = _SPECIAL.get(plain, plain) if len(plain) == 1 and not _CJK.match(char) else char
        return self[code]


class _Plain(dict[int, str]):
    """Maps each character beyond ASCII to what an index of SQLite is given of it, computed once."""

    def __missing__(self, code: int) -> str:
        char, folded = chr(code), _FOLD[code].translate(_TWOFOLD)
        known = code in _WESTERN and unicodedata.normalize("NFD", char)[0].isascii() and folded.isascii()
        plain = char if known and code not in _TWOFOLD and char.lower() not in _SPECIAL else folded
        self[code] = f" {char} " if _CJK.match(char) else plain
        return self[code]


#: A cache, bounded by the number of characters there are.
_FOLD: Final = _Fold()
_PLAIN: Final = _Plain()


def fold(text: str) -> str:
    """Return text without case and diacritics; positions stay what they were."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def spaced(text: str) -> str:
    """Return text as an index of SQLite can take it apart: every CJK character a word of its own, and plain letters for
    those that it would not fold as ``fold`` does.
    """
    if text.isascii():
        return text
    return _NOT_ASCII.sub(_plain, unicodedata.normalize("NFC", text))


def _plain(found: re.Match[str]) -> str:
    return found[0].translate(_PLAIN)


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text, each CJK character one of its own."""
    if folded.isascii():
        return folded.translate(_ASCII).split()
    if _MARKS_AND_TWOFOLD.search(folded):
        folded = _MARKS.sub("", folded).translate(_TWOFOLD)
    return _WORD.findall(folded)


def units_of(text: str) -> tuple[Unit, ...]:
    """Return the distinct units of a query, in order. Stop words are left out where another unit remains."""
    text = unicodedata.normalize("NFC", text[:_MAX_QUERY_CHARS])
    found: dict[Unit, None] = {}
    telling: dict[Unit, None] = {}
    words = 0
    for chunk in text.split():
        is_ticker = _is_ticker(chunk, text)
        for unit in _units(chunk):
            words += len(unit.words)
            if words > MAX_WORDS:
                return tuple(telling or found)
            found[unit] = None
            if is_ticker or len(unit.words) > 1 or unit.words[0] not in STOP_WORDS:
                telling[unit] = None
    return tuple(telling or found)


def _is_ticker(chunk: str, text: str) -> bool:
    """Say whether a word was written as a ticker: ``$ON``, or ``NOW`` in a text that is not all capitals."""
    name = chunk.strip("().,;:!?\"'")
    return (
        _TICKER.fullmatch(name) is not None
        and name.lower() not in _OPERATORS
        and (not name.isalpha() or not text.isupper())
    )


def _units(chunk: str) -> tuple[Unit, ...]:
    return _remembered(chunk) if len(chunk) <= _SHORT else tuple(_taken_apart(chunk))


@lru_cache(maxsize=8_192)
def _remembered(chunk: str) -> tuple[Unit, ...]:
    return tuple(_taken_apart(chunk))


def _taken_apart(chunk: str) -> Iterator[Unit]:
    for run in _RUN.findall(_without_clitics(_SUFFIX.sub("", fold(chunk)))):
        words = tuple(words_of(run))
        if words and _CJK.match(words[0]):
            yield Unit(words[:MAX_WORDS], cjk=True)
        elif len(words) > MAX_PHRASE:
            yield from (Unit((word,)) for word in words)
        elif words:
            yield Unit(words, others=other_spellings(run, words) if len(run) <= _SHORT else ())


def _without_clitics(chunk: str) -> str:
    """Return ``what`` for ``what's``, ``not`` for ``don't``, ``ordre`` for ``l'ordre``."""
    parts = _APOSTROPHE.split(chunk)
    if len(parts) == 1:
        return chunk
    last = next(iter(_WORD.findall(parts[-1])), "")
    if last == "t" and parts[-2].endswith("n"):
        return "not"
    if last in _CLITICS:
        return "'".join(parts[:-1])
    first = _WORD.findall(parts[0])
    return "'".join(parts[1:]) if first and first[-1] in _CLITICS else chunk


def parts_of(unit: Unit) -> tuple[tuple[str, ...], ...]:
    """Return what of a unit is worth finding alone: its telling words, or the pairs of neighbours in a CJK run."""
    if unit.cjk and len(unit.words) > 1:
        return tuple(zip(unit.words, unit.words[1:], strict=False))
    telling = tuple((word,) for word in unit.words if word not in STOP_WORDS)
    return telling or tuple((word,) for word in unit.words)


def wanted_of(units: Iterable[Unit]) -> tuple[tuple[str, ...], ...]:
    """Return everything of which a document needs to have only one to be found: units, however spelled, and parts."""
    return tuple(dict.fromkeys(words for unit in units for words in (*unit.spellings, *parts_of(unit))))

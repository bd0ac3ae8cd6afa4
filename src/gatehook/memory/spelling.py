"""How else a query's word may be written: a pair without its slash, a number without its commas, ``sold`` for ``sell``.

Each spelling is a run of words, as good as the one that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gatehook.memory.stemming import stem

Words = tuple[str, ...]

#: Longer runs are no symbol and no identifier.
_LONGEST_RUN: Final = 4
#: What pairs are quoted in; the longer ones first.
_PAIR: Final = re.compile(
    r"([^\W\d_]{2,8})(usdt|usdc|busd|usd|eur|gbp|jpy|chf|aud|cad|nzd|sek|nok|pln|cnh|mxn|zar|btc|eth)"
)
_IDENTIFIER: Final = re.compile(r"([a-z]{1,5})(\d{3,})")
_NUMBER: Final = re.compile(r"\W*(\d+(?:[.,'’]\d+)*)\W*")  # noqa: RUF001  thousands are parted by either apostrophe
_GROUPED: Final = range(4, 10)
_CENTS: Final = 2
_GROUP: Final = 3
_UMLAUTS: Final = re.compile(r"([aou])e")
_SHORTEST: Final = 5
#: Forms of a word that no ending tells; a group a line.
_IRREGULAR: Final = """
be been
bear bore borne
become became
begin began begun
bid bade
blow blew blown
break broke broken
bring brought
build built
buy bought
catch caught
choose chose chosen
come came
deal dealt
do did done
draw drew drawn
drive drove driven
fall fell fallen
feel felt
fight fought
find found
fly flew flown
forget forgot forgotten
freeze froze frozen
get got gotten
give gave given
go went gone
grow grew grown
have had
hear heard
hide hid hidden
hold held
keep kept
know knew known
lead led
learn learnt
leave left
lend lent
lose lost
make made
mean meant
meet met
overdo overdid overdone
oversee oversaw
pay paid
rise rose risen
run ran
say said
see saw seen
seek sought
sell sold
send sent
shake shook shaken
shrink shrank shrunk
sink sank sunk
sleep slept
slide slid
speak spoke spoken
spend spent
spin spun
stand stood
steal stole stolen
stick stuck
strike struck
swing swung
take took taken
teach taught
tell told
think thought
throw threw thrown
understand understood
wake woke woken
wear wore worn
win won
wind wound
withdraw withdrew withdrawn
write wrote written
analysis analyses
basis bases
crisis crises
datum data
hypothesis hypotheses
index indices indexes
man men
matrix matrices
person people
thesis theses
vertex vertices
"""


def _forms() -> dict[str, Words]:
    found: dict[str, Words] = {}
    for line in _IRREGULAR.split("\n"):
        words = tuple(line.split())
        for word in words:
            found.setdefault(stem(word), words)
    return found


_FORMS: Final = _forms()


def other_spellings(written: str, words: Words) -> tuple[Words, ...]:
    """Return how else the words of a query's unit may be written; ``written`` is the unit as it stood there, folded."""
    found = [*_together(words), *_numbers(written, words)]
    if len(words) == 1:
        found += [*_apart(words[0]), *_inflected(words[0]), *_without_umlauts(words[0])]
    return tuple(other for other in dict.fromkeys(found) if other != words)


def _together(words: Words) -> Iterator[Words]:
    """``BTC/USDT`` as ``BTCUSDT``, ``A-10293`` as ``A10293``; not numbers alone, which would become another one."""
    if 1 < len(words) <= _LONGEST_RUN and not all(word.isdigit() for word in words):
        yield ("".join(words),)


def _apart(word: str) -> Iterator[Words]:
    for pattern in (_PAIR, _IDENTIFIER):
        parts = pattern.fullmatch(word)
        if parts is not None:
            yield parts.groups()


def _inflected(word: str) -> Iterator[Words]:
    known = stem(word)
    for other in _FORMS.get(known, ()):
        if stem(other) != known:
            yield (other,)


def _without_umlauts(word: str) -> Iterator[Words]:
    """``Boerse`` for ``Börse``, whose letters are folded to plain ones."""
    plain = _UMLAUTS.sub(r"\1", word)
    if len(word) >= _SHORTEST and stem(plain) != stem(word):
        yield (plain,)


def _numbers(written: str, words: Words) -> Iterator[Words]:
    """``1,234.50`` as ``1234.5`` and the like: with groups of thousands or without, with cents or without noughts."""
    number = _NUMBER.fullmatch(written)
    if number is None:
        return
    whole, fraction = _parts(number[1])
    if len(whole) + len(fraction) < sum(map(len, words)):
        return
    shortest = fraction.rstrip("0")
    for integer in (_group(whole), (whole,)):
        for decimals in dict.fromkeys(
            (fraction, shortest, shortest.ljust(_CENTS, "0") if shortest or fraction else "")
        ):
            yield (*integer, decimals) if decimals else integer


def _parts(number: str) -> tuple[str, str]:
    """Return the digits before and behind the decimal sign; none of a date or an address."""
    signs = [char for char in number if not char.isdigit()]
    if not signs:
        return number, ""
    head, _, tail = number.rpartition(signs[-1])
    thousands = len(tail) == _GROUP and (signs[-1] != "." or len(signs) > 1) and len(set(signs)) == 1
    first, *groups = re.split(r"\D", head)
    if any(len(group) != _GROUP for group in groups):
        return "", ""
    whole = first + "".join(groups)
    return (whole + tail, "") if thousands else (whole, tail)


def _group(digits: str) -> Words:
    if len(digits) not in _GROUPED:
        return (digits,)
    first = len(digits) % _GROUP or _GROUP
    return (digits[:first], *(digits[at : at + _GROUP] for at in range(first, len(digits), _GROUP)))

"""How strongly a document matches: BM25 as tantivy computes it, over the index and what is not yet in it together.

A commit moves documents from the one to the other; their scores, and with them the order of pages, stay what they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.memory.tantivy.fields import KEPT_STATES
from gatehook.memory.tantivy.fields import WEIGHTS
from gatehook.memory.tantivy.pending import Pending
from gatehook.memory.tantivy.view import View

_K1: Final = 1.2
_B: Final = 0.75
_FREE: Final = 24
_EXACT: Final = 40
_MANTISSA: Final = 4
# Numbers have 32 bits there, 64 here; and averages there count documents that are deleted and still in a segment.
_EVEN: Final = 1.001
_SLACK: Final = 1.05

#: The stems of a word or a phrase.
Phrase = tuple[str, ...]
#: A field and a stem in it.
Place = tuple[str, str]


@attrs.frozen
class Corpus:
    """What the strengths of one search are computed with; it stays what it is while documents are written.

    Attributes:
        average: words in each field of a document on the average.
        indexed: documents of the index with a stem in a field. having: the same with those that are not in it yet.
    """

    documents: int
    average: Mapping[str, float]
    view: View | None
    indexed: Mapping[Place, int]
    having: Mapping[Place, int]

    @classmethod
    def of(cls, view: View | None, pending: Pending, stems: Iterable[str], fields: Sequence[str]) -> Corpus:
        """Count what is in the index and what is not yet, of these stems."""
        places = [(field, stem) for stem in stems for field in fields]
        indexed = {place: 0 if view is None else view.frequency(*place) for place in places}
        having = {place: indexed[place] + pending.frequency(*place) for place in places}
        added, lengths = pending.added, list(pending.lengths)
        if view is not None:
            added += view.mark.added
            lengths = [one + other for one, other in zip(lengths, view.mark.lengths, strict=True)]
        documents = pending.grown + (view.documents if view is not None else 0)
        average = [words / max(added, 1) or 1.0 for words in lengths]
        return cls(max(documents, 1), dict(zip(WEIGHTS, average, strict=True)), view, indexed, having)

    def weight(self, field: str, phrase: Phrase) -> float:
        """Return what one match of a phrase in a field weighs at most; 0.0 where no document has its words there."""
        counts = [self.having[field, stem] for stem in phrase]
        return 0.0 if 0 in counts else WEIGHTS[field] * (_K1 + 1) * sum(_rarity(self.documents, n) for n in counts)

    def is_indexed(self, field: str, phrase: Phrase) -> bool:
        """Say whether a document of the index may have this phrase in this field."""
        return all(self.indexed[field, stem] for stem in phrase)

    def excess(self, field: str, phrase: Phrase) -> float:
        """Return how many times its strength in the index a document's strength can be at most, for one phrase."""
        view = self.view
        assert view is not None, "only what is in an index has a strength there"
        ours = sum(_rarity(self.documents, self.having[field, stem]) for stem in phrase)
        theirs = sum(_rarity(view.documents, self.indexed[field, stem]) for stem in phrase)
        length = view.mark.lengths[list(WEIGHTS).index(field)] / max(view.mark.added, 1) or 1.0
        states = 1 + 2 * KEPT_STATES / max(view.documents, 1)
        slack = _EVEN if view.mark.added == view.documents else _SLACK
        return ours / theirs * max(1.0, self.average[field] / length) * states * slack


def _rarity(documents: int, having: int) -> float:
    return math.log(1 + (max(documents - having, 0) + 0.5) / (having + 0.5))


@attrs.frozen
class Scorer:
    """The phrases of a query with their weights in each field where they can be.

    Attributes:
        initials: the characters that their stems begin with.
    """

    corpus: Corpus
    weights: Mapping[str, Sequence[tuple[Phrase, float]]]
    initials: frozenset[str]

    @classmethod
    def of(cls, corpus: Corpus, phrases: Sequence[Phrase], fields: Sequence[str]) -> Scorer:
        """Weigh phrases."""
        weighed = {f: [(p, w) for p in phrases if (w := corpus.weight(f, p))] for f in fields}
        initials = frozenset(stem[0] for phrase in phrases for stem in phrase)
        return cls(corpus, {field: weights for field, weights in weighed.items() if weights}, initials)

    def strength(self, stems: Mapping[str, Sequence[str]]) -> float:
        """Return the strength of a document, given the stems of its fields."""
        total = 0.0
        for field, weights in self.weights.items():
            words = stems[field]
            if words:
                norm = _K1 * (1 - _B + _B * _length(len(words)) / self.corpus.average[field])
                for phrase, weight in weights:
                    count = occurrences(words, phrase)
                    total += weight * count / (count + norm)
        return total


def occurrences(words: Sequence[str], phrase: Phrase) -> int:
    """Count where a phrase stands among words."""
    count = words.count(phrase[0])
    if len(phrase) == 1 or not count:
        return count
    found, at = 0, -1
    for _ in range(count):
        at = words.index(phrase[0], at + 1)
        found += tuple(words[at : at + len(phrase)]) == phrase
    return found


def _length(words: int) -> int:
    """Return a length as tantivy keeps it: exact when short, else with four significant bits."""
    if words < _EXACT:
        return words
    shift = (words - _FREE).bit_length() - _MANTISSA
    return _FREE + ((words - _FREE) >> shift << shift)

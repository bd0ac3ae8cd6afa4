"""Is what one memory has in the other: counts, digests and the first ten hits of sampled queries, as a report."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.lines import write_line
from gatehook.memory.text import STOP_WORDS
from gatehook.memory.text import fold
from gatehook.memory.text import words_of
from gatehook.memory.writing import Key
from gatehook.memory.writing import Movable

_QUERIES: Final = 20
_WORDS: Final = 4
_TOP: Final = 10
_SEED: Final = 20260101
_TIMEOUT: Final = 10.0
#: So many documents that differ are named; all are counted.
MOST_NAMED: Final = 20
_MODULUS: Final = 1 << 128


@attrs.frozen(kw_only=True)
class NamespaceParity:
    """One namespace: how many documents each side has of those compared, and a digest over all their lines."""

    namespace: Namespace
    source: int
    target: int
    source_digest: str
    target_digest: str


@attrs.frozen(kw_only=True)
class QueryParity:
    """A sampled query whose first ten hits differ: what only one side has, best first, and how each searched."""

    text: str
    overlap: float
    only_source: tuple[str, ...]
    only_target: tuple[str, ...]
    source_mode: str
    target_mode: str


@attrs.frozen(kw_only=True)
class ParityReport:
    """What two memories have in common. ``extra`` counts documents that only the target has.

    The first ten hits of two engines may differ where nothing is wrong; documents may not.
    """

    namespaces: tuple[NamespaceParity, ...]
    differing: int
    examples: tuple[str, ...]
    extra: int
    extra_examples: tuple[str, ...]
    queries: int
    overlap: float
    other_hits: tuple[QueryParity, ...]

    @property
    def holds(self) -> bool:
        """Whether the target has every document of the source, as it is there."""
        return not self.differing and all(
            (one.source, one.source_digest) == (one.target, one.target_digest) for one in self.namespaces
        )


class Tally:
    """Counts documents on both sides as they are compared, and draws a sample of them for queries."""

    def __init__(self) -> None:
        self._sides: dict[Namespace, list[int]] = {}
        self._random = random.Random(_SEED)  # noqa: S311  a sample that anybody can draw again, no secret
        self._seen = 0
        self._sample: list[MemoryDoc] = []
        self._differing: list[Key] = []
        self._count = 0

    def compare(self, source: StoredDoc, target: StoredDoc | None) -> None:
        """Take a document of the source and what the target has of it."""
        sides = self._sides.setdefault(source.doc.namespace, [0, 0, 0, 0])
        line = write_line(source)
        _add(sides, 0, line)
        there = None if target is None else write_line(target)
        if there is not None:
            _add(sides, 2, there)
        if there != line:
            self._count += 1
            if len(self._differing) < MOST_NAMED:
                self._differing.append(key_of(source.doc))
        self._draw(source.doc)

    def _draw(self, doc: MemoryDoc) -> None:
        self._seen += 1
        if len(self._sample) < _QUERIES:
            self._sample.append(doc)
        elif (at := self._random.randrange(self._seen)) < _QUERIES:
            self._sample[at] = doc

    async def report(
        self, source: Movable, target: Movable, *, extra: int, extra_examples: Sequence[str]
    ) -> ParityReport:
        """Ask both sides the sampled queries, and say everything."""
        asked = [await _ask(source, target, doc.namespace, query_of(doc, self._random)) for doc in self._sample]
        return ParityReport(
            namespaces=tuple(_parity(namespace, self._sides[namespace]) for namespace in sorted(self._sides)),
            differing=self._count,
            examples=tuple(map(name_of, self._differing)),
            extra=extra,
            extra_examples=tuple(extra_examples),
            queries=len(asked),
            overlap=sum(one.overlap for one in asked) / len(asked) if asked else 1.0,
            other_hits=tuple(one for one in asked if one.only_source or one.only_target),
        )


def key_of(doc: MemoryDoc) -> Key:
    """Return what a document is known by."""
    return doc.namespace, doc.id


def name_of(key: Key) -> str:
    """Write a key for a person."""
    return f"{'/'.join(key[0])}: {key[1]}"


def _add(sides: list[int], at: int, line: str) -> None:
    """Count a line in. A sum of digests does not depend on the order in which a memory has its documents."""
    digest = hashlib.blake2b(line.encode(), digest_size=16).digest()
    sides[at] += 1
    sides[at + 1] = (sides[at + 1] + int.from_bytes(digest)) % _MODULUS


def _parity(namespace: Namespace, sides: Sequence[int]) -> NamespaceParity:
    return NamespaceParity(
        namespace=namespace,
        source=sides[0],
        target=sides[2],
        source_digest=f"{sides[1]:032x}",
        target_digest=f"{sides[3]:032x}",
    )


def query_of(doc: MemoryDoc, rng: random.Random) -> str:
    """Return some telling words of a document, as a query."""
    words = [word for word in dict.fromkeys(words_of(fold(doc.text[:2_000]))) if word not in STOP_WORDS]
    return " ".join(rng.sample(words, min(_WORDS, len(words))))


async def _ask(source: Movable, target: Movable, namespace: Namespace, text: str) -> QueryParity:
    query = Query(text=text, namespaces=(NamespaceSelector(namespace=namespace),), limit=_TOP, timeout=_TIMEOUT)
    one, other = await source.search(query), await target.search(query)
    here, there = ([key_of(hit.stored.doc) for hit in page.hits] for page in (one, other))
    most = max(len(here), len(there))
    return QueryParity(
        text=text,
        overlap=len({*here} & {*there}) / most if most else 1.0,
        only_source=tuple(key[1] for key in here if key not in there),
        only_target=tuple(key[1] for key in there if key not in here),
        source_mode=str(one.mode_used),
        target_mode=str(other.mode_used),
    )


def parity_json(report: ParityReport) -> Mapping[str, Any]:
    """Return a report as plain JSON values."""
    return {
        "holds": report.holds,
        "documents": sum(one.source for one in report.namespaces),
        "namespaces": [
            {
                "namespace": list(one.namespace),
                "source": one.source,
                "target": one.target,
                "equal": one.source_digest == one.target_digest,
                "sourceDigest": one.source_digest,
                "targetDigest": one.target_digest,
            }
            for one in report.namespaces
        ],
        "differing": report.differing,
        "examples": list(report.examples),
        "extra": report.extra,
        "extraExamples": list(report.extra_examples),
        "queries": report.queries,
        "top10Overlap": report.overlap,
        "otherHits": [
            {
                "query": one.text,
                "overlap": one.overlap,
                "onlySource": list(one.only_source),
                "onlyTarget": list(one.only_target),
                "sourceMode": one.source_mode,
                "targetMode": one.target_mode,
            }
            for one in report.other_hits
        ],
    }

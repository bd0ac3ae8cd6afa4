"""The fields of the index, and a row of ``docs`` as a document of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Final

import attrs
import tantivy

from gatehook.memory.scope import field_token
from gatehook.memory.text import fold
from gatehook.memory.text import words_of

#: The fields that are searched for words, and how much a match in each counts.
WEIGHTS: Final = {"text": 1.0, "tags": 0.5, "ctx": 0.4}
#: Raised with every change of the fields: an index of another format is built again.
FORMAT: Final = 2
#: The token of every revision that is not the current one.
PAST: Final = "past1"
#: What ``write_row`` wants, in its order.
ROW: Final = "d.rid, d.past, d.ts, d.visible_at, d.superseded_at, d.kind, d.scope, d.text, d.tags, d.ctx"
#: Old states are left in the index for so many commits: to delete one costs a file a segment.
KEPT_STATES: Final = 64
_STATE: Final = "state"
_STEMS: Final = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(tantivy.Filter.stemmer("english"))
_ANALYZER: Final = _STEMS.build()
_MOST_STEMS: Final = 200_000

Row = Sequence[Any]


def _build_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Signed: tantivy takes an int of Python's for that when it deletes by term, and finds nothing in an unsigned field.
    builder.add_integer_field("rid", indexed=True, fast=True)
    for name in ("ts", "visible_at", "superseded_at"):
        builder.add_integer_field(name, fast=True)
    for name in WEIGHTS:
        builder.add_text_field(name, tokenizer_name="stems", index_option="position")
    builder.add_text_field("scope", tokenizer_name="tokens", index_option="basic")
    builder.add_text_field("mark", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("commit", fast=True)
    builder.add_bytes_field("state", stored=True)
    return builder.build()


SCHEMA: Final = _build_schema()


def register(index: tantivy.Index) -> None:
    """Give an index the analyzers that its fields name."""
    index.register_tokenizer("stems", _ANALYZER)
    index.register_tokenizer("tokens", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())


class _Stems(dict[str, str]):
    """The stem of each word, computed once; emptied where a text of nothing but rare words would let it grow."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _MOST_STEMS:
            self.clear()
        found = self[word] = _ANALYZER.analyze(word)[0]
        return found


_STEM_OF: Final = _Stems()


def words_in(text: str) -> list[str]:
    """Return the words of a text, folded: what is indexed of it."""
    return words_of(fold(text)) if text else []


def stems(words: Iterable[str]) -> list[str]:
    """Return the stems of words."""
    return list(map(_STEM_OF.__getitem__, words))


def stems_at(words: Iterable[str], initials: frozenset[str]) -> list[str]:
    """Return the stems that begin with one of these characters, each in the place of its word, "" in the others.

    A stem begins with the character that its word begins with, so that most words need not be stemmed.
    """
    return [_STEM_OF[word] if word[0] in initials else "" for word in words]


@attrs.frozen
class Indexed:
    """What of a row goes into the index."""

    rid: int
    words: dict[str, list[str]]
    tokens: str

    @classmethod
    def of(cls, row: Row) -> Indexed:
        """Take a ``ROW`` apart."""
        rid, past, _, _, _, kind, scope, text, tags, ctx = row
        tokens = f"{scope} {field_token('kind', kind)}{f' {PAST}' if past else ''}"
        return cls(rid, {"text": words_in(text), "tags": words_in(tags), "ctx": words_in(ctx)}, tokens)


def document_of(row: Row, indexed: Indexed) -> tantivy.Document:
    """Return what tantivy is given."""
    document = tantivy.Document()
    document.add_integer("rid", indexed.rid)
    document.add_integer("ts", row[2])
    document.add_integer("visible_at", row[3])
    document.add_integer("superseded_at", row[4])
    document.add_text("scope", indexed.tokens)
    for name, words in indexed.words.items():
        if words:
            document.add_text(name, " ".join(words))
    return document


@attrs.frozen
class Mark:
    """What a commit says of itself, within the commit: what of the rows it holds.

    Attributes:
        build: which build it belongs to. commit: counts from 0.
        upto: it holds every change up to this number.
        copied: rows with lower numbers were copied when it was built; ``None`` when all were.
        added: documents that were ever added. lengths: words in each field of them.
    """

    build: str
    commit: int = 0
    upto: int = 0
    copied: int | None = None
    added: int = 0
    lengths: tuple[int, int, int] = (0, 0, 0)
    format: int = FORMAT

    @property
    def states(self) -> int:
        """How many documents of the index are states and not rows."""
        return self.commit % KEPT_STATES + 1

    def document(self) -> tantivy.Document:
        """Write it."""
        document = tantivy.Document()
        document.add_text("mark", _STATE)
        document.add_unsigned("commit", self.commit)
        document.add_bytes("state", json.dumps(attrs.asdict(self)).encode())
        return document

    def clear(self, writer: tantivy.IndexWriter) -> None:
        """Delete the states before this one when it is time."""
        if self.commit % KEPT_STATES == 0:
            writer.delete_documents_by_term("mark", _STATE)


def mark_in(searcher: tantivy.Searcher) -> Mark | None:
    """Return what the newest commit says, ``None`` for an index of another format."""
    query = tantivy.Query.term_query(SCHEMA, "mark", _STATE)
    hits = searcher.search(query, limit=1, count=False, order_by_field="commit").hits
    if not hits:
        return None
    found = json.loads(bytes(searcher.doc(hits[0][1])["state"][0]))
    if found.get("format") != FORMAT:
        return None
    return Mark(**{**found, "lengths": tuple(found["lengths"])})

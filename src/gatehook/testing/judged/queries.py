"""What a judged query is, and the set that holds documents and queries."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from enum import StrEnum

import attrs

from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.memory import StoredDoc
from gatehook.kinds.times import Ns

#: The field of ``meta`` that names a document's revision in the set: what queries are judged by.
KEY = "judged"


class QueryClass(StrEnum):
    """What a query tests."""

    EXACT = "exact id or ticker"
    EVENT = "symbol and event"
    PARAPHRASE = "paraphrase"
    INFLECTION = "inflection"
    LATEST = "latest state"
    AS_OF = "as of"
    LANGUAGES = "cjk and diacritics"
    NOTHING = "no answer"


@attrs.frozen(kw_only=True)
class JudgedQuery:
    """A query and what is right for it: grades (1 and up) by the keys of documents; none where nothing answers it.

    ``held_out`` queries take no part in any choice.
    """

    id: str
    kind: QueryClass
    text: str
    relevant: Mapping[str, int]
    held_out: bool
    now: Ns
    as_of: Ns | None = None
    half_life: int | None = None

    def query(self, *, limit: int) -> Query:
        """Return it as a memory is asked."""
        return Query(
            text=self.text,
            namespaces=(NamespaceSelector.everything(),),
            limit=limit,
            now=self.now,
            as_of=self.as_of,
            half_life=self.half_life,
            timeout=30.0,
        )


@attrs.frozen
class JudgedSet:
    """Documents in the order in which they became known, later revisions of an id behind earlier ones; and queries."""

    docs: Sequence[MemoryDoc]
    queries: Sequence[JudgedQuery]


def key_of(stored: StoredDoc) -> str:
    """Return what a found document is judged by."""
    return str(stored.doc.meta.get(KEY, stored.doc.id))

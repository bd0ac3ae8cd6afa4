"""BM25 as SQL: the query's lexemes counted in a row's vector, lengths, and weights counted before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.kinds.filters import Eq
from gatehook.kinds.times import Ns
from gatehook.memory.conditions import Condition
from gatehook.memory.postgres.conditions import of_filter
from gatehook.memory.postgres.lexemes import CONTEXT
from gatehook.memory.postgres.lexemes import quoted
from gatehook.memory.postgres.statistics import CONTEXT_WEIGHT
from gatehook.memory.postgres.statistics import K1
from gatehook.memory.postgres.statistics import B
from gatehook.memory.postgres.statistics import Totals
from gatehook.memory.postgres.statistics import Weighed
from gatehook.memory.ranking import COMPLETE
from gatehook.memory.ranking import HALF_STRENGTH
from gatehook.memory.rules import EVERGREEN

#: A factor of so many half-lives is next to nothing; of more, the server would say that it is too small.
_LONGEST: Final = 900
# With all weights 1, the cover density of one word is how often it stands there. The server counts so five times as
# fast as by taking the vector apart.
_COUNT: Final = "ts_rank_cd('{1,1,1,1}'::float4[], d.lexemes, %s::tsquery)"
# A word that is not there adds exactly nothing.
_WORD: Final = f"%s::float8 * {K1 + 1.0} * (1.0 - n.norm / (n.norm + {_COUNT}))"
_IN_CONTEXT: Final = "(CASE WHEN d.lexemes @@ %s::tsquery THEN {words} ELSE 0.0 END)"
_PHRASE: Final = f"(CASE WHEN d.lexemes @@ %s::tsquery THEN %s::float8 * {K1 + 1.0} / (1.0 + n.norm) ELSE 0 END)"
# OFFSET 0 keeps the server from writing an expression out, and working it out, wherever it is named.
_TOP: Final = (
    "SELECT t.score, t.strength, t.recency, t.complete, {columns} FROM ("
    "SELECT x.* FROM (SELECT d.rid, d.ts, d.id, d.ns, s.strength, a.recency, c.complete,"
    " (CASE WHEN c.complete THEN {base} ELSE 0.0 END + s.strength / ({half} + s.strength) / 2.0)"
    " * (1.0 + a.recency) / 2.0 AS score FROM docs d"
    " CROSS JOIN LATERAL (SELECT {k1} * ({rest} + {b} * d.words / %s::float8) AS norm OFFSET 0) n"
    " CROSS JOIN LATERAL (SELECT {strength} AS strength OFFSET 0) s"
    " CROSS JOIN LATERAL (SELECT {recency} AS recency OFFSET 0) a"
    " CROSS JOIN LATERAL (SELECT {complete} AS complete OFFSET 0) c"
    " WHERE {where} OFFSET 0) x WHERE {behind}"
    " ORDER BY x.score DESC, x.ts DESC, x.id, x.ns LIMIT %s) t JOIN docs d ON d.rid = t.rid"
    " ORDER BY t.score DESC, t.ts DESC, t.id, t.ns"
)


@attrs.frozen
class Ranking:
    """How rows are scored for one query; ``context``: a neighbour's words count too."""

    weighed: Sequence[Weighed]
    totals: Totals
    half_life: int | None
    now: Ns
    context: bool

    def top(self, where: Condition, behind: Condition, columns: str, complete: Condition) -> Condition:
        """Return the SELECT of the best rows: score, strength, recency, whether a row is ``complete``, columns; its
        last parameter is how many.
        """
        strength, recency = self._strength(), self._recency()
        sql = _TOP.format(
            columns=columns,
            base=COMPLETE,
            half=HALF_STRENGTH,
            k1=K1,
            b=B,
            rest=1.0 - B,
            strength=strength.sql,
            recency=recency.sql,
            complete=complete.sql,
            where=where.sql,
            behind=behind.sql,
        )
        parts = (strength, recency, complete, where, behind)
        return Condition(sql, (self.totals.length, *(value for part in parts for value in part.parameters)))

    def _strength(self) -> Condition:
        words = [(one.want.lexeme, one.idf) for one in self.weighed if one.want.lexeme is not None]
        phrases = [(one.want.expression, one.idf) for one in self.weighed if one.want.lexeme is None]
        terms: list[str] = []
        parameters: list[object] = []
        for lexeme, idf in words:
            terms.append(_WORD)
            parameters += (idf, quoted(lexeme))
        if words and self.context:
            # Few documents have neighbours: whether one has any of the words beside it is asked first.
            beside = [(quoted(f"{CONTEXT}{lexeme}"), idf * CONTEXT_WEIGHT) for lexeme, idf in words]
            terms.append(_IN_CONTEXT.format(words=" + ".join(_WORD for _ in beside)))
            parameters.append(" | ".join(lexeme for lexeme, _ in beside))
            parameters += (one for lexeme, idf in beside for one in (idf, lexeme))
        for phrase in phrases:
            terms.append(_PHRASE)
            parameters += phrase
        return Condition(f"({' + '.join(terms)})::float8", tuple(parameters))

    def _recency(self) -> Condition:
        if self.half_life is None:
            return Condition("1.0::float8")
        stays = of_filter(Eq("tags", EVERGREEN))
        age = f"greatest(%s::numeric - d.ts, 0)::float8 / %s::float8, {_LONGEST}"
        sql = f"(CASE WHEN {stays.sql} THEN 1.0::float8 ELSE power(0.5::float8, least({age})) END)"
        return Condition(sql, (*stays.parameters, self.now, self.half_life))

"""Quality of the built-in memories on the judged set: per class, with 95 % intervals of a paired bootstrap.

    python -m benchmarks.memory_quality [--embedder JSON] [--dsn DSN] [--floors DIRECTORY] [MEMORY …]

``--embedder`` is the configuration of the embedder of ``hybrid_embeddings``. Without it the hashing one is used, which
is a test double and no model: its figures say nothing about meaning. ``--floors`` writes the floors that CI keeps.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from gatehook.clocks import SystemClock
from gatehook.kinds.memory import MemoryBackend
from gatehook.kinds.memory import SearchMode
from gatehook.testing.hosting import HostMaker
from gatehook.testing.judged.floors import floor_of
from gatehook.testing.judged.judging import Judgement
from gatehook.testing.judged.judging import fill
from gatehook.testing.judged.judging import judge
from gatehook.testing.judged.judging import table
from gatehook.testing.judged.making import make_set
from gatehook.testing.judged.measures import paired

MEMORIES = ("sqlite_fts", "tantivy", "hybrid_embeddings", "postgres")
MODES = {"hybrid_embeddings": (SearchMode.LEXICAL, SearchMode.VECTOR, SearchMode.HYBRID)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("memories", nargs="*", metavar="MEMORY", default=["sqlite_fts", "tantivy", "hybrid_embeddings"])
    parser.add_argument("--embedder", type=json.loads, default={"type": "hashing"})
    parser.add_argument("--dsn", help="of a PostgreSQL database, for postgres")
    parser.add_argument("--floors", type=Path, help="a directory to write floors into")
    options = parser.parse_args()
    found: dict[str, Judgement] = {}
    for name in options.memories:
        for mode, judgement in anyio.run(measure, name, config_of(name, options)).items():
            found[f"{name} {mode}"] = judgement
            _print(f"{name}, {mode}", judgement)
        if options.floors is not None:
            path = options.floors / f"{name}.json"
            path.write_text(json.dumps(floor_of(judgement), indent=1) + "\n", "utf-8")
    _compare(found)


def config_of(name: str, options: argparse.Namespace) -> Mapping[str, Any]:
    """Return the configuration of a memory's entry."""
    if name == "hybrid_embeddings":
        return {"embedder": options.embedder}
    return {"dsn": options.dsn, "schema": "gatehook_quality"} if name == "postgres" else {}


async def measure(name: str, config: Mapping[str, Any]) -> dict[str, Judgement]:
    """Fill a new memory and judge it, in each of its modes."""
    plugins = {"slots": {"memory": name}, "entries": {name: {"plugin": name, "config": config}}}
    with tempfile.TemporaryDirectory() as directory:
        async with HostMaker(Path(directory))(builtin=True, clock=SystemClock(), config={"plugins": plugins}) as host:
            memory: MemoryBackend = host.memory()  # type: ignore[assignment]  # the handle has what is used of it
            judged = make_set()
            await fill(memory, judged)
            modes = MODES.get(name, (SearchMode.AUTO,))
            return {str(mode): await judge(memory, judged, mode=mode) for mode in modes}


def _print(title: str, judgement: Judgement) -> None:
    sys.stdout.write(f"\n{title}\n{'':20}{'nDCG@10':24}{'recall@10':24}MRR@10\n")
    for name, *values in table(judgement):
        sys.stdout.write(f"{name:20}{''.join(f'{value:24}' for value in values)}\n")
    threshold = judgement.threshold()
    precision, recalled = judgement.of(held_out=True).no_answers(threshold)
    said = f"below {threshold:.3f}: right {precision:.2f}, of all {recalled:.2f} (held out)"
    sys.stdout.write(f"{'no answer':20}{said}\n")
    degraded = sorted({reason for one in judgement.answers for reason in one.degraded})
    if degraded:
        sys.stdout.write(f"{'degraded':20}{', '.join(degraded)}\n")


def _compare(found: Mapping[str, Judgement]) -> None:
    """Say whether hybrid is worse than the better of its halves."""
    halves = [found.get(f"hybrid_embeddings {mode}") for mode in ("lexical", "vector")]
    both = found.get("hybrid_embeddings hybrid")
    if both is None:
        return
    sides = [half.ndcg_by_query() for half in halves if half is not None]
    better = max(sides, key=lambda side: sum(side.values()))
    change = paired(both.ndcg_by_query(), better)
    sys.stdout.write(f"\nhybrid against its better half: {change}{' WORSE' if change.high < 0 else ''}\n")


if __name__ == "__main__":
    main()

"""Run the benchmarks: ``python -m benchmarks [NAME …] [--quick] [--json]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from benchmarks.interpreters import bytecode_kept
from benchmarks.measuring import Row
from benchmarks.measuring import number

#: Every benchmark: a module of this package with ``run(quick)``, which yields rows.
NAMES: Final = (
    "startup",
    "manifests",
    "loading",
    "guarded_read",
    "submit",
    "desk",
    "durability",
    "ticks",
    "memory_search",
    "memory_peers",
    "memory_hybrid",
    "memory_tantivy",
    "memory_postgres",
    "memory_postgres_vectors",
    "memory_folders",
    "cold_start",
    "replay",
    "mcp_sessions",
    "wire",
)
FAILED: Final = "failed: "
_HEADINGS: Final = ("work", "figure", "floor or peer", "its figure", "ratio", "budget", "met")


def main() -> int:
    """Measure and print; 1 when a budget was missed, or a benchmark failed."""
    options = _options()
    with bytecode_kept():
        rows = [row for name in options.names or NAMES for row in _run(name, options.quick)]
    if options.json:
        print(json.dumps({"schemaVersion": 1, "quick": options.quick, "rows": [_document(row) for row in rows]}))
    else:
        _print_table([_HEADINGS, *map(_cells, rows)])
        if options.quick:
            print("quick: the sizes are small, the figures say nothing")
    missed = not options.quick and any(row.met is False for row in rows)
    return int(missed or any(row.note.startswith(FAILED) for row in rows))


def _run(name: str, quick: bool) -> Iterable[Row]:
    print(f"{name} …", file=sys.stderr)
    try:
        yield from import_module(f"benchmarks.{name}").run(quick)
    except Exception as error:  # noqa: BLE001  minutes of the others' measuring are not lost for one
        said = " ".join(f"{type(error).__name__} {error}".split())
        yield Row(work=name, note=f"{FAILED}{said[:200]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    for name in options.names:
        if name not in NAMES:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}")
    return options


def _document(row: Row) -> dict[str, object]:
    return {
        "work": row.work,
        "figure": row.figure,
        "unit": row.unit,
        "against": row.against,
        "other": row.other,
        "ratio": row.ratio,
        "budget": str(row.budget) if row.budget else None,
        "met": row.met,
        "note": row.note,
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.work,
        _amount(row.figure, row.unit),
        row.against,
        row.note or _amount(row.other, row.unit),
        "" if row.ratio is None else f"{number(row.ratio)} x",
        "" if row.budget is None else str(row.budget),
        {True: "yes", False: "NO", None: ""}[row.met],
    )


def _amount(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)} {unit}"


def _print_table(lines: Iterable[Sequence[str]]) -> None:
    lines = list(lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())

"""Writes into the pages what the code defines: ``python docs/generate.py``, or ``--check`` to see whether it is there.

A page has a generated section between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; ``SECTIONS`` says what each
name stands for. Everything outside the markers is written by hand.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from generating import admission
from generating import api
from generating import builtin
from generating import capabilities
from generating import cli
from generating import configuration
from generating import diagnostics
from generating import events
from generating import kinds
from generating import manifest
from generating import statements
from generating import wire

DOCS: Final = Path(__file__).parent
SECTIONS: Final[Mapping[str, Callable[[], str]]] = {
    "activation": admission.activation,
    "activation statuses": admission.activation_statuses,
    "admission": admission.admission,
    "admission reasons": admission.reasons,
    "admission statuses": admission.admission_statuses,
    "api": api.section,
    "capabilities": capabilities.section,
    "commands": cli.commands,
    "diagnostics": diagnostics.section,
    "entry types": manifest.entries,
    "exit codes": cli.exit_codes,
    "hybrid embeddings": builtin.hybrid_embeddings,
    "kinds": kinds.section,
    "manifest fields": manifest.fields,
    "metaapi mcp": builtin.metaapi_mcp,
    "order topics": events.order_topics,
    "origins": admission.origins,
    "paper": builtin.paper,
    "permissions": manifest.permissions,
    "postgres": builtin.postgres,
    "replay": builtin.replay,
    "requires": manifest.requires,
    "run states": admission.run_states,
    "settings": configuration.section,
    "simulated": builtin.simulated,
    "sqlite fts": builtin.sqlite_fts,
    "tantivy": builtin.tantivy,
    "statements": statements.section,
    "wire errors": wire.errors,
    "wire tools": wire.tools,
}
_SECTION: Final = re.compile(r"(<!-- begin ([a-z ]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def written(page: str, used: set[str]) -> str:
    """Return a page with its sections as the code defines them now; note their names in ``used``."""

    def fill(found: re.Match[str]) -> str:
        used.add(found[2])
        return f"{found[1]}\n{SECTIONS[found[2]]().strip()}\n\n{found[3]}"

    return _SECTION.sub(fill, page)


def _write_schema(*, check: bool) -> bool:
    """Write the schema of the wire beside its page; return whether it was another."""
    path, text = DOCS / "wire.schema.json", wire.schema_file()
    if path.exists() and path.read_text("utf-8") == text:
        return False
    print(path)
    if not check:
        path.write_text(text, "utf-8")
    return True


def main() -> int:
    """Write the pages, or with ``--check`` print how they differ; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; print the differences")
    check = parser.parse_args().check
    used: set[str] = set()
    stale = _write_schema(check=check)
    for path in sorted(DOCS.rglob("*.md")):
        old = path.read_text("utf-8")
        new = written(old, used)
        if new == old:
            continue
        stale = True
        if check:
            names = (str(path), "generated")
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), *names, n=1))
        else:
            path.write_text(new, "utf-8")
            print(path)
    missing = sorted(set(SECTIONS) - used)
    if missing:
        print(f"no page has the sections {', '.join(missing)}")
    return int(bool(missing) or (check and stale))


if __name__ == "__main__":
    sys.exit(main())

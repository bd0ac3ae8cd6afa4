"""The proof that a log is whole: every record as it was sealed, each behind the one before, up to the last anchor."""

from __future__ import annotations

from pathlib import Path

import attrs

from gatehook.audit.files import Paths
from gatehook.audit.key import read_key
from gatehook.audit.problems import Fault
from gatehook.audit.problems import Problem
from gatehook.audit.problems import Problems
from gatehook.audit.reading import lines
from gatehook.audit.walking import Walk
from gatehook.audit.walking import read_anchors
from gatehook.diagnostics import GatehookError


@attrs.frozen
class Verification:
    """What was found: how many records, the numbers of the first and the last, and everything that is wrong."""

    records: int
    first: int | None
    last: int | None
    problems: tuple[Problem, ...]


def verify(data_dir: Path, *, key_file: Path | None = None, anchors: Path | None = None) -> Verification:
    """Read the log of a data directory from its beginning to its end and name everything that is wrong with it.

    It changes nothing, and holds no more than the anchors in memory. A gateway may be running.

    Raises:
        GatehookError: when the log cannot be read.
    """
    paths = Paths.of(data_dir, key_file, anchors)
    problems = Problems()
    if not (paths.log.exists() or paths.anchors.exists()):
        return Verification(0, None, None, ())
    key = _key(paths.key, problems)
    anchored = read_anchors(paths.anchors, key, problems)  # first: the log may grow, and its anchors with it
    walk = Walk(key, anchored, problems)
    for line in lines(paths.log):
        walk.take(line)
    walk.end()
    return Verification(walk.records, walk.first, walk.last, problems.listed())


def _key(path: Path, problems: Problems) -> bytes | None:
    try:
        return read_key(path)[0]
    except GatehookError as error:
        problems.add(Fault.KEY, f"{error.diagnostics[0].message}; only the order of the records could be checked")
        return None

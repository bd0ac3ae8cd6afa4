"""Logs in a directory of their own, with a clock that counts."""

from __future__ import annotations

from itertools import count

import pytest

from gatehook.audit import AuditLog
from gatehook.audit import Record
from gatehook.audit import verify


class Room:
    """A data directory with an audit, and the means to look at it and to harm it."""

    def __init__(self, path):
        self.path = path
        self.log = path / "audit.jsonl"
        self.key = path / "audit.key"
        self.anchors = path / "audit.anchors"
        self._ticks = count(1_000)
        self._open = []

    def open(self, *, anchor_every=100, redact=str, **places):
        log = AuditLog.open(
            self.path, anchor_every=anchor_every, wall=lambda: next(self._ticks), redact=redact, **places
        )
        self._open.append(log)
        return log

    def close(self):
        while self._open:
            self._open.pop().close()

    def filled(self, records=5, **options):
        """Write a log of this many records, the first of them its own, and close it."""
        log = self.open(**options)
        for number in range(records - 1):
            log.append([note(number)])
        self.close()
        return self.log.read_bytes()

    def lines(self):
        return self.log.read_bytes().splitlines(keepends=True)

    def verify(self, **places):
        return verify(self.path, **places)

    def faults(self):
        return [(str(one.what), one.seq) for one in self.verify().problems]


def note(number=0, **subject):
    return Record("test.note", "tester", {"number": number, **subject})


@pytest.fixture
def room(tmp_path):
    place = Room(tmp_path)
    yield place
    place.close()

"""The way along a log, line by line: what each record should be, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehook.audit.anchors import anchor_key
from gatehook.audit.problems import Fault
from gatehook.audit.problems import Problems
from gatehook.audit.reading import lines
from gatehook.audit.records import GENESIS
from gatehook.audit.records import LARGEST_LINE
from gatehook.audit.records import Entry
from gatehook.audit.records import NotARecord
from gatehook.audit.records import entry_of
from gatehook.audit.records import fields_of
from gatehook.audit.records import is_sealed


class Walk:
    """Takes the lines in their order. A record is authentic when its seal is the key's; which number it has, and what
    it follows, then says where it belongs.
    """

    def __init__(self, key: bytes | None, anchored: Mapping[int, str], problems: Problems) -> None:
        self.records = 0
        self.first: int | None = None
        self.last: int | None = None
        self._key = key
        self._anchored = anchored
        self._problems = problems
        self._next = 1
        self._mac = GENESIS
        self._line = 0
        self._bad: list[int] = []
        self._missing: list[tuple[int, int]] = []

    def take(self, line: bytes) -> None:
        """Take the next line."""
        self._line += 1
        entry = self._authentic(line)
        if entry is not None:
            self._place(entry)
        elif line.endswith(b"\n") or len(line) >= LARGEST_LINE:
            self._bad.append(self._line)
        else:
            self._torn(line)

    def end(self) -> None:
        """Say what is missing, now that everything was seen."""
        is_foreign = bool(self._bad) and not self.records and self._key is not None
        self._settle(self._next + len(self._bad))
        for start, stop in self._missing:
            many = f"records {start} to {stop} are" if stop > start else f"record {start} is"
            self._problems.add(Fault.DROPPED, f"{many} missing", seq=start)
        newest = max(self._anchored, default=0)
        if newest >= self._next:
            text = f"the log ends before record {newest}, which was anchored"
            self._problems.add(Fault.CUT, text, seq=self._next)
        if is_foreign:
            self._problems.replace(Fault.KEY, "no line was sealed with this key: it is another, or the log is no log")

    def _authentic(self, line: bytes) -> Entry | None:
        if self._key is not None and not is_sealed(self._key, line):
            return None
        try:
            return entry_of(line)
        except NotARecord:
            return None

    def _torn(self, line: bytes) -> None:
        whole = self._authentic(line + b"\n") is not None
        what = "all of a record but its line feed" if whole else f"{len(line)} bytes of a record"
        self._problems.add(Fault.TORN, f"the log ends in {what}", seq=self._next, line=self._line)

    def _place(self, entry: Entry) -> None:
        self.records += 1
        self.first = entry.seq if self.first is None else min(self.first, entry.seq)
        self.last = max(entry.seq, self.last or 0)
        if entry.seq < self._next:
            self._misplaced(entry)
            return
        follows = entry.prev == self._mac if entry.seq == self._next else None
        self._settle(entry.seq)
        if follows is False:
            text = f"record {entry.seq} does not follow the record before it: one of them is of another log"
            self._problems.add(Fault.REPLACED, text, seq=entry.seq, line=self._line)
        self._check_anchor(entry)
        self._next, self._mac = entry.seq + 1, entry.mac

    def _misplaced(self, entry: Entry) -> None:
        for index, (start, stop) in enumerate(self._missing):
            if start <= entry.seq <= stop:
                self._missing[index : index + 1] = [
                    one for one in ((start, entry.seq - 1), (entry.seq + 1, stop)) if one[0] <= one[1]
                ]
                text = f"record {entry.seq} is behind a later one"
                self._problems.add(Fault.REORDERED, text, seq=entry.seq, line=self._line)
                self._check_anchor(entry)
                return
        text = f"record {entry.seq} is there more than once"
        self._problems.add(Fault.DUPLICATED, text, seq=entry.seq, line=self._line)

    def _settle(self, seq: int) -> None:
        """Say of the lines that are no records which ones they stand for, on the way to record ``seq``."""
        bad, self._bad = self._bad, []
        for line in bad:
            if self._next < seq:
                text = f"record {self._next} was edited"
                self._problems.add(Fault.EDITED, text, seq=self._next, line=line)
                self._next += 1
            else:
                text = f"line {line} is no record of this log"
                self._problems.add(Fault.INSERTED, text, seq=self._next, line=line)
        if self._next < seq:
            self._missing.append((self._next, seq - 1))
            self._next = seq

    def _check_anchor(self, entry: Entry) -> None:
        if self._anchored.get(entry.seq, entry.mac) != entry.mac:
            text = f"record {entry.seq} is not the one that was anchored"
            self._problems.add(Fault.REPLACED, text, seq=entry.seq, line=self._line)


def read_anchors(path: Path, key: bytes | None, problems: Problems) -> Mapping[int, str]:
    """Return the macs of the anchored records by number; whatever is wrong with the file is a problem.

    Raises:
        GatehookError: when it cannot be read.
    """
    found: dict[int, str] = {}
    before, number = GENESIS, 0
    for number, line in enumerate(lines(path), 1):
        try:
            fields = _anchor(line, key)
        except NotARecord:
            what = "was edited" if line.endswith(b"\n") else "is torn"
            problems.add(Fault.ANCHORS, f"line {number} of the anchors {what}", line=number)
            before = ""
            continue
        if before and fields["prev"] != before:
            text = f"line {number} of the anchors does not follow the line before it: some are missing or moved"
            problems.add(Fault.ANCHORS, text, line=number)
        before = fields["mac"]
        found[fields["head_seq"]] = fields["head"]
    if not number:
        problems.add(Fault.ANCHORS, f"the anchors {path} are missing: whether the end was cut cannot be told")
    elif min(found, default=1) > 1:
        problems.add(Fault.ANCHORS, f"the anchors begin at record {min(found)}: those before are missing")
    return found


def _anchor(line: bytes, key: bytes | None) -> Mapping[str, Any]:
    if key is not None and not is_sealed(anchor_key(key), line):
        raise NotARecord
    fields = fields_of(line)
    if type(fields.get("head_seq")) is not int or not all(isinstance(fields.get(one), str) for one in ("head", "prev")):
        raise NotARecord
    return fields

"""Appends records to the audit of a directory and prints the numbers of those that are durable: for killing."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from gatehook.audit import AuditLog
from gatehook.audit import Record

ROUND = 10


def main(directory: str, name: str, count: int, *, in_rounds: bool) -> None:
    log = AuditLog.open(Path(directory), anchor_every=7, wall=time.time_ns, redact=str)
    for number in range(count):
        if in_rounds and number % ROUND == 0:
            sys.stdin.readline()
        batch = [Record("test.note", name, {"number": number, "part": part}) for part in range(1 + number % 3)]
        log.append(batch, durable=number % 4 != 0)
        if in_rounds and number % ROUND == ROUND - 1:
            print("went", flush=True)
        elif not in_rounds and number % 4 != 0:
            print(number, flush=True)
    log.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), in_rounds="in-rounds" in sys.argv)

"""`gatehook run` in another process, for tests that talk to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

GATEHOOK = (sys.executable, "-m", "gatehook")
DEADLINE = 60


class Running:
    """A gateway in another process."""

    def __init__(self, line, *options, wait=True):
        self.line = line
        self.process = subprocess.Popen(
            [*GATEHOOK, "run", *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=line.here,
            env=dict(os.environ),
        )
        self.lines = []
        self.errors = []
        self._reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self._reader.start()
        if wait:
            self.until("ready")

    def until(self, end):
        for text in self.process.stdout:
            self.lines.append(text.rstrip("\n"))
            if text.rstrip("\n").endswith(end):
                return self.lines
        raise AssertionError(f"no {end!r}: {self.lines} {self.errors}")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.end()

    def end(self):
        self.lines += [text.rstrip("\n") for text in self.process.stdout]
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def eventually(condition):
    """Wait for what another process does."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)

"""Starting interpreters, and what they take from start to end."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from unittest import mock


@contextmanager
def bytecode_kept() -> Iterator[None]:
    """Let the interpreters that are started inside keep bytecode, as an installed package has it, and share it."""
    with tempfile.TemporaryDirectory() as directory, mock.patch.dict(os.environ, PYTHONPYCACHEPREFIX=directory):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        yield


def child_seconds(arguments: Sequence[str]) -> tuple[float, float]:
    """Run an interpreter to its end; return the wall and the CPU seconds it took.

    Raises:
        RuntimeError: with its last words, when it fails.
    """
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run([sys.executable, *arguments], capture_output=True, check=False, text=True)
    after, taken = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    if ended.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {ended.stderr.strip()[-500:]}")
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def child_cpu(arguments: Sequence[str]) -> float:
    """Return the CPU seconds that an interpreter takes to its end."""
    return child_seconds(arguments)[1]

"""A ``gatehook run`` in a process of its own, for the benchmarks of the whole gateway."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import attrs


@attrs.frozen
class Run:
    """What one run took: wall seconds, CPU seconds, bytes.

    Attributes:
        ready: from the start of the process to the line ``ready``.
        cpu_ready: the CPU time until then.
        resident: the memory that is resident at ready.
        rest: from ready to the end of the process.
    """

    ready: float
    cpu_ready: float
    resident: int
    rest: float


def run_gateway(arguments: Sequence[str] = (), *, stop: bool) -> Run:
    """Run a gateway on an empty data directory, stopped when it is ready or when it ends by itself.

    Raises:
        RuntimeError: when it does not get ready, or ends badly.
    """
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile("w+") as errors:
        begun = time.perf_counter()
        command = [sys.executable, "-m", "gatehook", "run", "--data-dir", f"{directory}/data", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=directory) as process:
            assert process.stdout is not None, "it is piped"
            said = iter(process.stdout.readline, "")
            # With --dev, each line says so at its beginning.
            is_ready = any(line.endswith("ready\n") for line in said)
            ready = time.perf_counter()
            cpu, resident = _observe(process.pid) if is_ready else (0.0, 0)
            if stop:
                process.send_signal(signal.SIGTERM)
            process.stdout.read()
        if not is_ready or process.returncode:
            errors.seek(0)
            raise RuntimeError(f"gatehook run ended with {process.returncode}: {errors.read()[-500:]}")
        return Run(ready - begun, cpu, resident, time.perf_counter() - ready)


def _observe(pid: int) -> tuple[float, int]:
    """Return CPU seconds and resident bytes of a process, by the kernel's own account."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")

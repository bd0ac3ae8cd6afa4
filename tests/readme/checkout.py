"""A copy of this repository, and an environment as empty as a fresh machine's, but for the network.

``pip`` finds what this environment has installed by ``PYTHONPATH`` and so has nothing to fetch; the commands of the
README stay as they are written.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Return the README's blocks, in order: (language, text)."""
    return _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))


def block(language: str, *words: str) -> str:
    """Return the one block of a language that has all these words."""
    (found,) = [text for kind, text in blocks() if kind == language and all(word in text for word in words)]
    return found


class Checkout:
    """The copy, and how to run things in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "gatehook"
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                target = self.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        home = folder / "home"
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL")}
        python = folder / "bin" / "python3"
        python.parent.mkdir()
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        python.chmod(0o755)
        self.environment = kept | {
            "HOME": str(home),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this switch the wrong way round
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTEST_ADDOPTS": "tests/kinds -p no:cacheprovider",
        }

    def run(self, script: str, *, timeout: float = 120) -> str:
        """Run a shell block; return its output, or fail with it."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def running(self, script: str, ready: str, *, timeout: float = 180):
        """Run a shell block that does not end by itself, once it has printed ``ready``; interrupt it afterwards."""
        log = self.root.parent / "running.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _wait_for(lambda: ready in log.read_text() or process.poll() is not None, timeout)
                assert process.poll() is None, log.read_text()
                yield log
                os.killpg(process.pid, signal.SIGINT)
                process.wait(30)
                assert process.returncode in (0, 130), log.read_text()
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(10)


def _wait_for(true, timeout: float) -> None:
    end = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)

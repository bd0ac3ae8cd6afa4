"""A page of the documentation as a story: its blocks in their order, in one directory, as a reader would take them.

A paragraph that ends in the name of a file and a colon makes the next block that file. ``sh`` and ``python`` blocks
are run; ``json`` and ``toml`` are read; what follows "prints:" is what the block before has printed, ``…`` standing for
anything. ``text`` and ``console`` are for reading only.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import NamedTuple

import gatehook

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: Where the package is that is being tested: the checkout's, or an installed one.
GATEHOOK = str(Path(gatehook.__file__).parents[1])
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "CONTRIBUTING.md"]
_FENCE = re.compile(r"(?P<before>[^\n]*)\n\n?^```(?P<language>[\w{}]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
#: What blocks may be: run, read by a parser, for readers only, for Sphinx.
LANGUAGES = frozenset({"sh", "python", "json", "toml", "text", "console", "{toctree}", "{include}"})
_FILE = re.compile(r"`([\w./-]+)`:$")


class Block(NamedTuple):
    """One block: its language, its text, the file it is, and whether it is what the block before prints."""

    language: str
    text: str
    file: str | None
    printed: bool


def blocks(page: Path) -> list[Block]:
    """Return a page's blocks."""
    return [
        Block(
            found["language"],
            found["text"],
            named[1] if (named := _FILE.search(found["before"])) else None,
            found["before"].endswith("prints:"),
        )
        for found in _FENCE.finditer(page.read_text("utf-8"))
    ]


class Story:
    """Runs blocks in a directory and a home of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        (folder / "home").mkdir()
        scripts, site = sysconfig.get_path("scripts"), folder / "site"
        kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "TMPDIR")}
        self._environment = kept | {
            "HOME": str(folder / "home"),
            "PATH": os.pathsep.join([str(scripts), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(site), GATEHOOK]),
            "PIP_TARGET": str(site),
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this switch the wrong way round
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
        }
        self._gateway: subprocess.Popen | None = None
        self._output = ""

    def tell(self, page: Path) -> None:
        """Go through a page."""
        try:
            for block in blocks(page):
                self._take(block)
        finally:
            self._stop()

    def _take(self, block: Block) -> None:
        if block.printed:
            assert_printed(block.text, self._output)
        elif block.file is not None:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif block.language == "sh" and _stays(block.text):
            self._start(block.text)
        elif block.language == "sh":
            self._output = self._run(["bash", "-euo", "pipefail", "-c", block.text], block.text)
        elif block.language == "python":
            self._output = self._run([sys.executable, "-c", block.text], block.text)

    def _run(self, command: list[str], shown: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{shown}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _start(self, text: str) -> None:
        self._stop()
        (line,) = text.splitlines()
        log = self.folder.parent / "gateway.log"
        with log.open("w") as output:
            self._gateway = subprocess.Popen(
                shlex.split(line),
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + 60
        while not re.search(r"ready$", log.read_text(), re.MULTILINE):
            assert self._gateway.poll() is None, f"{line}\n{log.read_text()}"
            assert time.monotonic() < end, f"{line}\n{log.read_text()}"
            time.sleep(0.05)
        self._output = log.read_text()

    def _stop(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is None:
            return
        gateway.send_signal(signal.SIGINT)
        try:
            gateway.wait(30)
        finally:
            gateway.kill()
            gateway.wait(10)


def _stays(text: str) -> bool:
    """Say whether a block runs until it is stopped."""
    return text.startswith("gatehook run") and "--exit-at-end" not in text


def assert_printed(expected: str, output: str) -> None:
    """Fail unless every expected line is in the output, in this order; runs of blanks count as one."""
    lines = iter(" ".join(line.split()) for line in output.splitlines())
    for wanted in expected.splitlines():
        parts = " ".join(wanted.split()).split("…")
        pattern = re.compile(".*".join(map(re.escape, parts)))
        assert any(pattern.fullmatch(line) for line in lines), f"{wanted!r} is not in\n{output}"

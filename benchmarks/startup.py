"""Start-up of the command line: CPU above a bare interpreter, and what a listing does not import."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.interpreters import child_cpu
from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import medians
from benchmarks.plugins_on_disk import write_plugins

PLUGINS: Final = 20
_HEAVY: Final = ("mcp", "pydantic", "starlette", "gatehook_plugins", "builtin_plugins")
_LIST: Final = """
import sys
from gatehook.cli.main import main
heavy = set(sys.argv.pop().split())
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
found = sorted({name.partition(".")[0] for name in sys.modules} & heavy)
print(found, file=sys.stderr)
"""


def run(quick: bool) -> Iterator[Row]:
    """Measure, and refuse a listing that imports what it must not."""
    with tempfile.TemporaryDirectory() as directory:
        write_plugins(Path(directory) / "plugins", PLUGINS)
        listing = ["plugins", "list", "--data-dir", directory, "--set", f'plugins.paths=["{directory}/plugins"]']
        _check_imports(listing)
        works = {
            "bare": lambda: child_cpu(["-c", "pass"]),
            "version": lambda: child_cpu(["-m", "gatehook", "--version"]),
            "list": lambda: child_cpu(["-m", "gatehook", *listing]),
        }
        seconds = medians(works, 2 if quick else 11)
    bare, version, listed = (seconds[name] * 1_000 for name in works)
    yield Row(
        work="gatehook --version, CPU",
        figure=version,
        unit="ms",
        against="bare interpreter",
        other=bare,
        budget=Budget(100, "ms above"),
        above=True,
    )
    yield Row(
        work=f"gatehook plugins list, {PLUGINS} plugins beside the built-in ones, CPU",
        figure=listed,
        unit="ms",
        against="bare interpreter",
        other=bare,
        budget=Budget(250, "ms"),
    )


def _check_imports(listing: list[str]) -> None:
    script = [sys.executable, "-c", _LIST, *listing, " ".join(_HEAVY)]
    ended = subprocess.run(script, capture_output=True, check=False, text=True)
    if ended.returncode or ended.stderr.splitlines()[-1:] != ["[]"]:
        raise RuntimeError(f"plugins list imported what it must not, or failed: {ended.stderr.strip()[-500:]}")
    if ended.stdout.count("quotes_") < PLUGINS:
        raise RuntimeError("plugins list did not show every plugin")

"""Plugins with a defect, and the statement that must notice it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mutation import Mutant


def copy_of(folder: Path, into: Path, *mutants: Mutant) -> Path:
    """Copy a plugin's directory, with defects; ``module`` is the file's name.

    Raises:
        LookupError: for a defect whose place is not in the file just once.
    """
    shutil.copytree(folder, into, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for path in (into, *into.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name, before, after in mutants:
        text = (into / name).read_text()
        if text.count(before) != 1:
            raise LookupError(f"{text.count(before)} times in {name}: {before!r}")
        (into / name).write_text(text.replace(before, after))
    return into


async def breach(suite, number: int, rig, **fixtures) -> str | None:
    """Run one statement; return what broke it, ``None`` if it holds or is skipped."""
    (name,) = [one for one in dir(suite) if one.startswith(f"test_{number:02}_")]
    try:
        await getattr(suite, name)(suite(), rig=rig, **fixtures)
    except (Exception, pytest.fail.Exception, BaseExceptionGroup) as error:  # a defect may break it in any way
        return repr(error)
    except pytest.skip.Exception:
        return None
    return None

"""Discovering, validating and admitting a thousand plugins: against reading the same files, npe2 and stevedore."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import invalidate_caches
from pathlib import Path
from typing import Final
from unittest import mock

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side
from benchmarks.measuring import skipped
from benchmarks.plugins_on_disk import name_of
from benchmarks.plugins_on_disk import write_distributions
from benchmarks.plugins_on_disk import write_plugins
from gatehook.catalog import Consent
from gatehook.catalog import ConsentState
from gatehook.catalog import Origin
from gatehook.catalog import Places
from gatehook.catalog import Policy
from gatehook.catalog import admit
from gatehook.catalog import discover
from gatehook.catalog import make_plan
from gatehook.config import config_from

_WORK: Final = "discover, validate and admit {:,} plugins, CPU"
_NPE2: Final = {
    "schema_version": "0.2.1",
    "contributions": {"commands": [{"id": "{}.read", "title": "Read", "python_name": "{}.plugin:read"}]},
}


def run(quick: bool) -> Iterator[Row]:
    """Measure each against our own."""
    count = 20 if quick else 1_000
    with tempfile.TemporaryDirectory() as directory:
        ours, peers = Path(directory) / "plugins", Path(directory) / "peers"
        roots = write_plugins(ours, count)
        works: dict[str, Callable[[], object]] = {
            "gatehook": partial(_discover_and_admit, ours, roots),
            "plan": partial(_plan, Path(directory)),
            "floor": partial(_floor, ours),
        }
        missing = [row for peer in ("npe2", "stevedore") if (row := skipped(_WORK.format(count), peer))]
        installed = {"npe2", "stevedore"} - {row.against for row in missing}
        with _peers(peers, count, installed):
            works |= {peer: partial(_PEERS[peer], peers, count) for peer in sorted(installed)}
            seconds = side_by_side(works, 2 if quick else 9)
    yield from _rows(count, {name: taken * 1_000 for name, taken in seconds.items()})
    yield from missing


def _rows(count: int, took: dict[str, float]) -> Iterator[Row]:
    work = _WORK.format(count)
    floor = "floor: safe open, read, json.loads"
    for name, against in (("floor", floor), ("npe2", "npe2, its manifests"), ("stevedore", "stevedore, entry points")):
        if name in took:
            budget = Budget(3, "x floor") if name == "floor" else None
            yield Row(
                work=work,
                figure=took["gatehook"],
                unit="ms",
                against=against,
                other=took[name],
                budget=budget,
                relative=True,
            )
    yield Row(
        work=f"the whole plan of {count:,} plugins, CPU",
        figure=took["plan"],
        unit="ms",
        against=floor,
        other=took["floor"],
    )


def _discover_and_admit(directory: Path, roots: list[Path]) -> None:
    granted = Consent(state=ConsentState.GRANTED)
    policy = Policy(consents={(Origin.USER, str(root)): granted for root in roots})
    decisions = admit(discover(Places(user=directory)), policy)
    assert sum(one.admitted for one in decisions) == len(roots)


def _plan(directory: Path) -> None:
    config = config_from({"gateway": {"data_dir": str(directory)}, "plugins": {"slots": {"memory": "none"}}})
    plan = make_plan(config, places=Places(dev=(directory / "plugins",)))
    assert all(one.admitted for one in plan.decisions)


def _floor(directory: Path) -> None:
    for path in sorted(directory.iterdir()):
        root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open("plugin.json", flags, dir_fd=root)
        json.loads(os.read(file, os.fstat(file).st_size))
        os.close(file)
        os.close(root)


def _npe2(directory: Path, count: int) -> None:
    from npe2 import PluginManager

    manager = PluginManager()
    manager.discover(paths=[str(directory)])
    assert len(manager) >= count


def _stevedore(_: Path, count: int) -> None:
    from stevedore import NamedExtensionManager
    from stevedore import _cache

    invalidate_caches()
    NamedExtensionManager.ENTRY_POINT_CACHE.clear()
    with mock.patch.object(_cache, "get_group_all", _cache.Cache().get_group_all):
        found = NamedExtensionManager("benchmark.quotes", names=[]).list_entry_points()
    assert len(found) == count


_PEERS: Final[dict[str, Callable[[Path, int], None]]] = {"npe2": _npe2, "stevedore": _stevedore}


@contextmanager
def _peers(directory: Path, count: int, installed: set[str]) -> Iterator[None]:
    """Give the peers their distributions; stevedore's cache on disk stays empty, as ours has none."""
    for number in range(count if installed else 0):
        name = name_of(number)
        package = directory / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "napari.json").write_text(json.dumps({"name": name} | _NPE2).replace("{}", name))
    entry_points = {"napari.manifest": "{name}:napari.json", "benchmark.quotes": "{name}"}
    write_distributions(directory, count if installed else 0, entry_points)
    cache = directory / "cache" / "python-entrypoints"
    cache.mkdir(parents=True)
    (cache / ".disable").touch()
    sys.path.insert(0, str(directory))
    with mock.patch.dict(os.environ, XDG_CACHE_HOME=str(directory / "cache")):
        yield
    sys.path.remove(str(directory))

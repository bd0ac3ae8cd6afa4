"""Loading a thousand plugins of one module each: against the bare import of the same modules, and bare pluggy."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib import invalidate_caches
from pathlib import Path
from typing import Final

import pluggy

from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side
from benchmarks.plugins_on_disk import manifest
from benchmarks.plugins_on_disk import name_of
from benchmarks.plugins_on_disk import write_distributions
from benchmarks.plugins_on_disk import write_plugins
from gatehook import hookspecs
from gatehook.catalog import manifest_from
from gatehook.runtimes import LoadRequest
from gatehook.runtimes import PythonRuntime

_GROUP: Final = "benchmark.loading"


def run(quick: bool) -> Iterator[Row]:
    """Measure; every side compiles from source, and no bytecode is written."""
    count = 20 if quick else 1_000
    with tempfile.TemporaryDirectory() as directory, _without_bytecode():
        plugins, flat = Path(directory) / "plugins", Path(directory) / "flat"
        requests = [_request(number, root) for number, root in enumerate(write_plugins(plugins, count))]
        flat.mkdir()
        for number in range(count):
            (flat / f"{name_of(number)}.py").write_bytes((plugins / name_of(number) / "plugin.py").read_bytes())
        write_distributions(Path(directory) / "distributions", count, {_GROUP: "{name}.plugin"})
        works = {
            "gatehook": partial(_load, requests),
            "packages": partial(_import, plugins, [f"{name_of(number)}.plugin" for number in range(count)]),
            "flat": partial(_import, flat, [name_of(number) for number in range(count)]),
            "pluggy": partial(_pluggy, plugins, Path(directory) / "distributions", count),
        }
        took = {name: taken * 1_000 for name, taken in side_by_side(works, 2 if quick else 7).items()}
    for name, against, budget in (
        ("flat", "floor: import of one directory's modules", Budget(2, "x floor")),
        ("packages", "import package.module, where they are", None),
        ("pluggy", "bare pluggy, entry points", None),
    ):
        yield Row(
            work=f"load and register {count:,} one-module plugins, CPU",
            figure=took["gatehook"],
            unit="ms",
            against=against,
            other=took[name],
            budget=budget,
            relative=True,
        )


def _request(number: int, root: Path) -> LoadRequest:
    return LoadRequest(manifest=manifest_from(manifest(number)), origin="user", module="plugin.py", root=root)


def _load(requests: list[LoadRequest]) -> None:
    runtime = PythonRuntime()
    runtime.open()
    batch = runtime.batch(requests, deadline=60.0)
    loaded = []
    while not batch.done:
        loaded += [piece.result for piece in batch.next_finished()]
    assert len(loaded) == len(requests)
    assert all(one is not None and one.providers for one in loaded)
    runtime.close()


def _import(path: Path, names: list[str]) -> None:
    with _on_path(path):
        for name in names:
            assert import_module(name).provide_market_data


def _pluggy(plugins: Path, distributions: Path, count: int) -> None:
    with _on_path(plugins, distributions):
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        assert manager.load_setuptools_entrypoints(_GROUP) == count


@contextmanager
def _on_path(*paths: Path) -> Iterator[None]:
    """Import from these directories; what was imported is forgotten again."""
    before = set(sys.modules)
    sys.path[:0] = [str(path) for path in paths]
    invalidate_caches()
    try:
        yield
    finally:
        del sys.path[: len(paths)]
        for name in set(sys.modules) - before:
            del sys.modules[name]


@contextmanager
def _without_bytecode() -> Iterator[None]:
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before

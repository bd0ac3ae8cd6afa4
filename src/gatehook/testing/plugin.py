"""The pytest plugin: fixtures for tests of plugins, and the table of statements at the end of a run.

Nothing of Gatehook is imported until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

import pytest

if TYPE_CHECKING:
    from gatehook.testing.canaries import Canaries
    from gatehook.testing.disk import Disk
    from gatehook.testing.hosting import HostMaker
    from gatehook.testing.recorder import HookRecorder


def pytest_configure(config: pytest.Config) -> None:
    """Register what suites mark themselves with."""
    config.addinivalue_line("markers", "anyio: run by the anyio pytest plugin")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print statement x plugin, with what was skipped and why."""
    from gatehook.testing.statements import rows
    from gatehook.testing.statements import write_table

    found = rows(report for reports in terminalreporter.stats.values() for report in reports)
    if found:
        terminalreporter.section("contract statements")
        write_table(found, terminalreporter)


@pytest.fixture
def plugin_dir(tmp_path: Path) -> Callable[..., Path]:
    """Write a plugin: ``plugin_dir("my_id", module, kinds=["connector.broker"], …)`` returns its directory.

    ``module`` is the source of ``plugin.py``, or a function whose body is. Other keywords go into the manifest.
    """
    from gatehook.testing.writing import write_plugin

    def write(plugin_id: str, module: str | Callable[[], object] = "", **manifest: Any) -> Path:
        return write_plugin(tmp_path / "plugins" / plugin_id, plugin_id, module, **manifest)

    return write


@pytest.fixture
def plugin_host(tmp_path: Path) -> HostMaker:
    """Make hosts that discover nothing by themselves: only built-in plugins that are asked for, and what is given.

    ``async with plugin_host(paths=[…], plugins=[…], builtin=True, config={…}) as host``. Directories in ``paths`` run
    without consent. Every host of one test has the same data directory, so a second one is a restart.
    """
    from gatehook.testing.hosting import HostMaker

    return HostMaker(tmp_path)


@pytest.fixture
def hook_recorder() -> HookRecorder:
    """Record the calls of the observer hooks: embed it with ``plugins=[hook_recorder.plugin]``."""
    from gatehook.testing.recorder import HookRecorder

    return HookRecorder()


@pytest.fixture
def secret_canaries(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[Canaries]:
    """Make secrets that must show nowhere: after the test, output and logs are searched for them.

    Output that the test itself takes from ``capfd`` is not seen again: give it to ``secret_canaries.check``.
    """
    from gatehook.testing.canaries import Canaries

    canaries = Canaries(monkeypatch)
    yield canaries
    output = capfd.readouterr()
    phases: tuple[Literal["setup", "call", "teardown"], ...] = ("setup", "call", "teardown")
    records = [record for phase in phases for record in caplog.get_records(phase)]
    canaries.check(output.out, output.err, *map(caplog.handler.format, records), *(str(vars(one)) for one in records))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Fill the disk under the journal with ``disk.fill()``. Name it before the fixture that starts the host."""
    from gatehook.testing.disk import Disk

    return Disk(monkeypatch)


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Fail when the test leaves a thread, a child process or an open file behind."""
    from gatehook.testing.leaks import Holdings

    before = Holdings.now()
    yield
    before.check()

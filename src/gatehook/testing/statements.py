"""Statements: tests that an author inherits and may not change, and the table of what held, was skipped, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from typing import ClassVar
from typing import Final

import attrs
import pytest

_STATEMENT: Final = re.compile(r"test_([A-Z]*)0*(\d+)_(\w+)")
#: Under this name a test's report carries its statement from a worker process to the one that prints.
PROPERTY: Final = "gatehook-statement"


class Suite:
    """The base of all suites. ``suite`` names the contract; ``plugin``, or the subclass's name, who is held to it."""

    suite: ClassVar[str]
    plugin: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "suite" in vars(cls):
            return
        changed = [name for name in vars(cls) if _STATEMENT.match(name)]
        if changed:
            raise TypeError(
                f"{cls.__name__} overrides {', '.join(changed)}: a statement is the contract;"
                " declare fewer capabilities, or mend the plugin"
            )

    @pytest.fixture(autouse=True)
    def _statement(self, request: pytest.FixtureRequest) -> None:
        match = _STATEMENT.match(request.node.originalname)
        if match:
            prefix, number, words = match.groups()
            plugin = self.plugin or type(self).__name__.removeprefix("Test")
            text = words.replace("_", " ")
            request.node.user_properties.append((PROPERTY, [self.suite, plugin, prefix + number, text]))

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Run on asyncio, as the gateway does; override it to run on trio."""
        return "asyncio"


def statements_of(suite: type[Suite]) -> list[tuple[str, str]]:
    """Return a suite's statements in the order of their numbers: each number, and its words."""
    found = [match.groups() for name in dir(suite) if (match := _STATEMENT.match(name))]
    ordered = sorted(found, key=lambda one: (one[0], int(one[1])))
    return [(prefix + number, words.replace("_", " ")) for prefix, number, words in ordered]


@attrs.frozen
class Row:
    """What came of one statement for one plugin."""

    suite: str
    plugin: str
    number: str
    text: str
    outcome: str
    reason: str


def rows(reports: Iterable[Any]) -> list[Row]:
    """Read the statements out of pytest's reports: the worst outcome of a statement's tests counts."""
    found: dict[tuple[str, str, str], Row] = {}
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == PROPERTY and (report.when == "call" or report.outcome != "passed"):
                suite, plugin, number, text = value
                row = Row(suite, plugin, number, text, report.outcome, _reason(report))
                known = found.get((suite, plugin, number))
                if known is None or _RANK[row.outcome] > _RANK[known.outcome]:
                    found[suite, plugin, number] = row
    return sorted(found.values(), key=lambda row: (row.suite, row.plugin, len(row.number), row.number))


_RANK: Final = {"skipped": 0, "passed": 1, "failed": 2}


def _reason(report: Any) -> str:
    if report.outcome != "skipped" or not isinstance(report.longrepr, tuple):
        return ""
    return str(report.longrepr[2]).removeprefix("Skipped: ")


def write_table(rows: Iterable[Row], write: pytest.TerminalReporter) -> None:
    """Print plugin by plugin: how many statements held, and each that did not or was skipped, with the reason."""
    by_plugin: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_plugin.setdefault((row.suite, row.plugin), []).append(row)
    for (suite, plugin), statements in by_plugin.items():
        held = [row.number for row in statements if row.outcome == "passed"]
        write.line(f"{plugin} as {suite}: {len(held)} held ({' '.join(held)})")
        for row in statements:
            if row.outcome != "passed":
                write.line(f"  {row.number:>4} {row.outcome}: {row.text}{f' [{row.reason}]' if row.reason else ''}")

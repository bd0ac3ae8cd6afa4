"""What every test has: the event loop it runs on, and a spy at every desk that it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import settings

from tests.orders.spy import Spy

#: Long, and the same whatever the interpreter: where several are tested one after the other, the first runs these.
ONCE: Final = (
    "tests/audit/test_killed_runs.py",
    "tests/audit/test_processes.py",
    "tests/bad_input/",
    "tests/benchmarks/",
    "tests/catalog/test_mutations.py",
    "tests/cli/test_approvals.py",
    "tests/cli/test_by_hand.py",
    "tests/cli/test_killed.py",
    "tests/cli/test_memory.py",
    "tests/crash/",
    "tests/docs/",
    "tests/gateway/test_every_memory.py",
    "tests/gateway/test_memory_slot.py",
    "tests/hostile/test_chaos.py",
    "tests/hostile/test_sharp_",
    "tests/hostile/test_suites.py::TestCash",
    "tests/hostile/test_suites.py::TestHedging",
    "tests/hostile/test_suites.py::TestNettingB",
    "tests/hostile/test_suites.py::TestNettingNone",
    "tests/memory/hybrid/",
    "tests/memory/judged/",
    "tests/memory/postgres/",
    "tests/memory/test_dict_backend_statements.py",
    "tests/memory/test_sqlite_file.py::test_32",
    "tests/memory/test_sqlite_fts_statements.py::TestSqliteFts::test_31",
    "tests/memory/test_sqlite_killed.py",
    "tests/memory/test_tantivy_kills.py",
    "tests/memory/test_tantivy_statements.py",
    "tests/metaapi/",
    "tests/orders/test_kill.py",
    "tests/orders/test_reconciliation_busy.py",
    "tests/orders/test_reconciliation_property.py",
    "tests/paper/test_mutations.py",
    "tests/paper/test_store.py",
    "tests/property/",
    "tests/quality/",
    "tests/readme/",
    "tests/replay/",
    "tests/testing/test_metaapi_",
    "tests/testing/test_sharp_",
    "tests/testing/test_skips.py",
    "tests/wire/test_suites.py",
)

# The same examples in every run, so that what passed passes again; ``--hypothesis-profile explore`` tries others.
settings.register_profile("explore", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what an earlier run on another interpreter has shown already, if that is said."""
    if os.environ.get("GATEHOOK_TESTED_BEFORE"):
        for item in items:
            if item.nodeid.startswith(ONCE):
                item.add_marker(
                    pytest.mark.skip(
                        reason="it is the same on every Python, and ran on the first (GATEHOOK_TESTED_BEFORE is set)"
                    )
                )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def desk_spy() -> Iterator[Spy]:
    """Let no broker behind any desk get a command whose intent is not on disk."""
    spy = Spy()
    with pytest.MonkeyPatch.context() as patch:
        spy.install(patch)
        yield spy


@pytest.fixture(autouse=True)
def no_way_round(desk_spy: Spy) -> Iterator[None]:
    """Fail a test in which a command reached a broker without an intent, also where the desk took it for an error."""
    desk_spy.violations.clear()
    yield
    assert desk_spy.violations == []


@pytest.fixture
def blind_spy(desk_spy: Spy) -> Iterator[None]:
    """For tests that seed a defect into a desk: another check has to find it."""
    desk_spy.blind = True
    yield
    desk_spy.blind = False

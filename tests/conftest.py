"""What every test has: the event loop it runs on, and a spy at every desk that it runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.orders.spy import Spy


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

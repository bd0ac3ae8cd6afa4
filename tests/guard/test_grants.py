"""What a grant covers, and how it is used up: exactly its scope, its uses, its time, its day and its minute."""

from __future__ import annotations

import errno
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from gatehook.catalog import records
from gatehook.diagnostics import GatehookError
from gatehook.guard.facts import CommandKind
from gatehook.guard.grants import MOST_GRANTS
from gatehook.guard.grants import Grants
from gatehook.kinds.errors import PermissionDenied
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import opened
from tests.guard.asked import order

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def grants(tmp_path: Path, clocks: Clocks) -> Grants:
    return opened(tmp_path, clocks)


def give(grants: Grants, **scope: Any) -> str:
    return grants.grant(**{"caller": "agent:*", "lifetime": 3600.0, "given_by": "anna", **scope}).grant_id


# --- the scope


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"caller": "agent:one"},
        {"entry": "brok*", "account": "main"},
        {"symbols": ["XAU*", "EUR*.BROKER"]},
        {"sides": ["buy"], "types": [OrderType.MARKET, "limit"]},
        {"max_notional": 100, "max_daily_notional": "100.00"},
        {"rate_per_minute": 1, "uses": 1},
    ],
)
def test_a_command_in_the_scope_is_covered(grants: Grants, scope: dict[str, Any]) -> None:
    give(grants, **scope)
    assert grants.covering(command(order("100"))) is not None


@pytest.mark.parametrize(
    "scope",
    [
        {"caller": "agent:two"},
        {"caller": "AGENT:*"},
        {"entry": "other"},
        {"account": "mai"},
        {"symbols": ["EURUSD"]},
        {"symbols": ["XAU*"]},
        {"sides": ["sell"]},
        {"types": ["limit"]},
        {"max_notional": "99.99"},
        {"max_daily_notional": "99.99"},
    ],
)
def test_a_command_beside_the_scope_is_not(grants: Grants, scope: dict[str, Any]) -> None:
    give(grants, **scope)
    assert grants.covering(command(order("100"))) is None


def test_every_order_of_a_command_must_be_covered(grants: Grants) -> None:
    give(grants, symbols=["EUR*"], sides=["buy"], max_notional=100, max_daily_notional=150)
    assert grants.covering(command(order("100"), order("50"))) is not None
    for other in (order("100.01"), order("51"), order(side=Side.SELL), order(id_=InstrumentId("XAU", "BROKER"))):
        assert grants.covering(command(order("100"), other)) is None


@pytest.mark.parametrize("value", [None, "NaN", "-1", "Infinity"])
@pytest.mark.parametrize("scope", [{"max_notional": 100}, {"max_daily_notional": 100}])
def test_a_worth_that_is_not_known_is_not_covered(grants: Grants, scope: dict[str, Any], value: str | None) -> None:
    give(grants, **scope)
    assert grants.covering(command(order(value))) is None


@pytest.mark.parametrize(
    "scope", [{"symbols": ["*"]}, {"sides": ["buy", "sell"]}, {"types": ["market"]}, {"max_notional": 1}]
)
def test_a_command_without_orders_needs_a_grant_that_looks_at_none(grants: Grants, scope: dict[str, Any]) -> None:
    bare = command(kind=CommandKind.MODIFY_POSITION)
    give(grants, **scope)
    assert grants.covering(bare) is None
    give(grants, account="main", uses=1)
    assert grants.covering(bare) is not None


def test_an_account_of_the_same_name_elsewhere_is_another(grants: Grants) -> None:
    give(grants, entry="broker", account="main")
    assert grants.covering(command(order(), account=AccountKey("second", "main"))) is None


# --- using it up


async def test_uses_are_counted_down_and_the_last_ends_it(grants: Grants) -> None:
    grant_id = give(grants, uses=2)
    await grants.consume(grant_id, command(order()))
    assert [one.uses_left for one in grants.all()] == [1]
    await grants.consume(grant_id, command(order()))
    assert grants.all() == ()
    with pytest.raises(PermissionDenied):
        await grants.consume(grant_id, command(order()))


async def test_of_two_at_once_only_one_has_the_last_use(grants: Grants) -> None:
    grant_id = give(grants, uses=1)
    outcomes: list[bool] = []

    async def use() -> None:
        try:
            await grants.consume(grant_id, command(order()))
        except PermissionDenied:
            outcomes.append(False)
        else:
            outcomes.append(True)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(use)
    assert sorted(outcomes) == [False] * 4 + [True]


async def test_a_day_s_worth_starts_anew_with_the_trading_day(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks, day_start="14:30")
    grant_id = give(grants, max_daily_notional=250, lifetime=48 * 3600.0)
    await grants.consume(grant_id, command(order("100"), order("100")))
    assert grants.covering(command(order("50.01"))) is None
    clocks.sleep(2.5 * 3600 - 1)
    assert grants.covering(command(order("50.01"))) is None
    clocks.sleep(1)
    assert grants.covering(command(order("250"))) is not None


async def test_a_clock_that_is_set_back_gives_no_day_back(grants: Grants, clocks: Clocks) -> None:
    grant_id = give(grants, max_daily_notional=100, lifetime=72 * 3600.0)
    await grants.consume(grant_id, command(order("100")))
    clocks.at -= DAY
    assert grants.covering(command(order("1"))) is None
    await grants.consume(grant_id, command(order("0")))
    clocks.at += DAY
    assert grants.covering(command(order("1"))) is None
    clocks.at += DAY
    await grants.consume(grant_id, command(order("100")))
    clocks.at -= DAY
    assert grants.covering(command(order("1"))) is None


async def test_the_rate_counts_orders_in_any_minute(grants: Grants, clocks: Clocks) -> None:
    grant_id = give(grants, rate_per_minute=3)
    await grants.consume(grant_id, command(order(), order()))
    clocks.sleep(30)
    assert grants.covering(command(order(), order())) is None
    await grants.consume(grant_id, command(order()))
    clocks.sleep(29.9)
    assert grants.covering(command(order())) is None
    clocks.sleep(0.1)
    assert grants.covering(command(order(), order())) is not None
    assert grants.covering(command(order(), order(), order())) is None


@pytest.mark.parametrize("back", [0, HOUR, 100 * DAY])
def test_it_expires_whatever_the_wall_clock_says(grants: Grants, clocks: Clocks, back: int) -> None:
    give(grants, lifetime=60.0)
    clocks.at -= back
    clocks.sleep(59.9)
    assert grants.covering(command(order())) is not None
    clocks.sleep(0.1)
    assert grants.covering(command(order())) is None
    assert grants.all() == ()


def test_it_expires_when_the_wall_clock_says_so(grants: Grants, clocks: Clocks) -> None:
    give(grants, lifetime=60.0)
    clocks.at += 60 * SECOND
    assert grants.covering(command(order())) is None


def test_what_is_judged_is_not_used(grants: Grants) -> None:
    give(grants, uses=1, rate_per_minute=1)
    for _ in range(3):
        assert grants.covering(command(order())) is not None


# --- giving and revoking


def test_the_first_given_that_covers_is_taken(grants: Grants) -> None:
    give(grants, sides=["sell"])
    second = give(grants)
    give(grants)
    found = grants.covering(command(order()))
    assert found is not None
    assert found.grant_id == second


def test_a_revoked_grant_covers_nothing(grants: Grants) -> None:
    grant_id = give(grants)
    assert grants.revoke(grant_id).grant_id == grant_id
    assert grants.covering(command(order())) is None
    with pytest.raises(GatehookError) as caught:
        grants.revoke(grant_id)
    assert caught.value.diagnostics[0].code == "guard.grant-unknown"


@pytest.mark.parametrize(
    "scope",
    [
        {"caller": ""},
        {"caller": "a\nb"},
        {"caller": 3},
        {"caller": "agent:[ab]"},
        {"symbols": ["EUR?"]},
        {"symbols": "EUR*"},
        {"sides": "buy"},
        {"types": "market"},
        {"sides": ["both"]},
        {"sides": [None]},
        {"types": ["iceberg"]},
        {"max_notional": 0.5},
        {"max_notional": 0},
        {"max_notional": "NaN"},
        {"max_daily_notional": "-1"},
        {"max_daily_notional": True},
        {"rate_per_minute": 0},
        {"rate_per_minute": 1.5},
        {"rate_per_minute": 1_000_000},
        {"uses": 0},
        {"uses": True},
        {"lifetime": 0},
        {"lifetime": float("nan")},
        {"lifetime": float("inf")},
        {"lifetime": "60"},
        {"symbol": ["EUR*"]},
    ],
)
def test_a_scope_that_is_none_gives_nothing(tmp_path: Path, grants: Grants, scope: dict[str, Any]) -> None:
    with pytest.raises(GatehookError) as caught:
        give(grants, **scope)
    assert [one.code for one in caught.value.diagnostics] == ["guard.grant-invalid"]
    assert grants.all() == ()
    assert list(tmp_path.iterdir()) == []


def test_there_are_not_any_number_of_them(grants: Grants, clocks: Clocks) -> None:
    for _ in range(MOST_GRANTS):
        give(grants, lifetime=10)
    with pytest.raises(GatehookError):
        give(grants)
    clocks.sleep(10)
    give(grants)


# --- a disk that takes nothing


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def no_room(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(records.os, "fsync", no_room)
    return monkeypatch


async def test_on_a_full_disk_nothing_is_used_and_nothing_given(
    grants: Grants, clocks: Clocks, request: pytest.FixtureRequest
) -> None:
    grant_id = give(grants, uses=2)
    patch = request.getfixturevalue("full")
    with pytest.raises(StorageUnavailable):
        await grants.consume(grant_id, command(order()))
    with pytest.raises(GatehookError) as caught:
        give(grants)
    assert caught.value.diagnostics[0].code == "guard.grants-not-written"
    patch.undo()
    assert [one.uses_left for one in grants.all()] == [2]


def test_on_a_full_disk_a_grant_is_revoked_in_memory(
    tmp_path: Path, grants: Grants, clocks: Clocks, request: pytest.FixtureRequest
) -> None:
    grant_id = give(grants)
    request.getfixturevalue("full")
    with pytest.raises(GatehookError) as caught:
        grants.revoke(grant_id)
    assert "next restart" in str(caught.value)
    assert grants.all() == ()
    assert len(opened(tmp_path, clocks).all()) == 1


async def test_a_grant_that_counts_nothing_needs_no_disk(grants: Grants, request: pytest.FixtureRequest) -> None:
    grant_id = give(grants, sides=["buy"], max_notional=Decimal(1000))
    request.getfixturevalue("full")
    await grants.consume(grant_id, command(order()))

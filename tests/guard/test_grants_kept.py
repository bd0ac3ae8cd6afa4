"""Grants outlive the gateway, exactly as much as is left of them; a file that somebody touched gives none."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatehook.guard.grants import Grants
from gatehook.kinds.times import HOUR
from tests.guard.asked import KEY
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import opened
from tests.guard.asked import order

pytestmark = pytest.mark.anyio


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def restarted(folder: Path, clocks: Clocks) -> Grants:
    """A machine that was started again counts its monotonic time anew."""
    clocks.passed = 5.0
    return opened(folder, clocks)


def give(grants: Grants, **scope: Any) -> str:
    return grants.grant(**{"caller": "*", "lifetime": 3600.0, "given_by": "anna", **scope}).grant_id


async def test_everything_is_as_it_was_after_a_restart(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks)
    grant_id = give(grants, uses=5, max_daily_notional="150.50", rate_per_minute=2, symbols=["EUR*"], sides=["buy"])
    await grants.consume(grant_id, command(order("100")))
    again = restarted(tmp_path, clocks)
    assert again.all() == grants.all()
    assert again.diagnostics == ()
    assert again.covering(command(order("50.51"))) is None
    assert again.covering(command(order("10"), order("10"))) is None
    await again.consume(grant_id, command(order("50.50")))
    clocks.sleep(60)
    assert again.covering(command(order("0.01"))) is None
    assert again.all()[0].uses_left == 3


async def test_a_use_is_on_disk_before_it_is_one(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks)
    grant_id = give(grants, uses=1)
    await grants.consume(grant_id, command(order()))
    assert restarted(tmp_path, clocks).all() == ()


def test_the_file_is_its_owner_s_alone(tmp_path: Path, clocks: Clocks) -> None:
    give(opened(tmp_path, clocks))
    assert stat.S_IMODE((tmp_path / "grants.json").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["grants.json"]
    assert KEY.decode() not in (tmp_path / "grants.json").read_text()


async def test_time_passes_while_it_is_down(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks)
    grant_id = give(grants, lifetime=600.0, rate_per_minute=1)
    await grants.consume(grant_id, command(order()))
    clocks.at += 61 * 10**9
    assert restarted(tmp_path, clocks).covering(command(order())) is not None
    clocks.at += 540 * 10**9
    assert restarted(tmp_path, clocks).all() == ()


async def test_a_clock_set_back_while_it_is_down_gives_nothing_back(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks)
    grant_id = give(grants, lifetime=600.0, rate_per_minute=1, max_daily_notional=100)
    clocks.sleep(500)
    await grants.consume(grant_id, command(order("100")))
    clocks.at -= 48 * HOUR
    again = restarted(tmp_path, clocks)
    clocks.sleep(59)
    assert again.covering(command(order("1"))) is None
    clocks.sleep(2)
    assert again.covering(command(order("1"))) is None  # the day's worth
    clocks.sleep(39)
    assert again.all() == ()


async def test_what_expired_was_dropped_for_good(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks)
    grant_id = give(grants, lifetime=60.0)
    give(grants, lifetime=600.0)
    assert await grants.expire() == ()
    clocks.sleep(60)
    assert [one.grant_id for one in await grants.expire()] == [grant_id]
    clocks.at -= 10 * HOUR
    assert len(restarted(tmp_path, clocks).all()) == 1


async def test_the_rest_of_a_lifetime_is_noted_every_minute(tmp_path: Path, clocks: Clocks) -> None:
    grants = opened(tmp_path, clocks)
    give(grants, lifetime=600.0)
    for _ in range(9):
        clocks.sleep(60)
        await grants.expire()
        clocks.at -= HOUR
        grants = restarted(tmp_path, clocks)
        assert len(grants.all()) == 1
    clocks.sleep(60)
    assert grants.all() == ()


# --- a file that somebody touched


def changed(path: Path, change: Callable[[Any], None]) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    "touch",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-30]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"[]"),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_bytes(b" " * 5_000_000),
        lambda path: path.write_text(path.read_text().replace('"uses_left": 2', '"uses_left": 3')),
        lambda path: changed(path, lambda record: record.update(mac="")),
        lambda path: changed(path, lambda record: record.update(mac="é")),
        lambda path: changed(path, lambda record: record["body"].update(more=1)),
        lambda path: changed(path, lambda record: record["body"]["grants"][0]["grant"].update(caller="**")),
        lambda path: changed(path, lambda record: record["body"]["grants"].append(record["body"]["grants"][0])),
    ],
)
def test_a_file_that_was_touched_gives_no_grant_and_is_kept(
    tmp_path: Path, clocks: Clocks, touch: Callable[[Path], None]
) -> None:
    path = tmp_path / "grants.json"
    give(opened(tmp_path, clocks), uses=2)
    touch(path)
    touched = path.read_bytes()
    grants = restarted(tmp_path, clocks)
    assert grants.all() == ()
    [found] = grants.diagnostics
    assert found.code == "guard.grants-damaged"
    [kept] = tmp_path.iterdir()
    assert kept.name in found.remedy
    assert kept.read_bytes() == touched
    give(grants)
    assert len(restarted(tmp_path, clocks).all()) == 1


def test_another_key_is_as_good_as_none(tmp_path: Path, clocks: Clocks) -> None:
    give(opened(tmp_path, clocks))
    [found] = opened(tmp_path, clocks, key=b"x" * 32).diagnostics
    assert found.code == "guard.grants-damaged"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path, clocks: Clocks) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    give(opened(tmp_path, clocks))
    (folder / "grants.json").symlink_to(tmp_path / "grants.json")
    grants = opened(folder, clocks)
    assert grants.all() == ()
    assert [one.code for one in grants.diagnostics] == ["guard.grants-damaged"]
    assert (tmp_path / "grants.json").exists()


def test_a_file_that_cannot_be_put_aside_stays_and_is_said_to(
    tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grants.json").write_text("{}")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    grants = opened(tmp_path, clocks)
    assert grants.all() == ()
    assert "Permission denied" in grants.diagnostics[0].remedy

"""Only the desk calls a provider's trading methods: by the source here, by a spy in every test that runs a desk."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import gatehook
from gatehook.kinds.broker import Broker
from tests.orders.spy import TRADING
from tests.quality.ways import ways_round

PACKAGE = Path(gatehook.__file__).parent


def test_no_room_but_the_desks_can_tell_a_provider_to_trade():
    assert ways_round(PACKAGE) == []


def test_the_check_knows_every_trading_method():
    reading = {"accounts", "instruments", "account"}
    changing = {
        name
        for name, method in inspect.getmembers(Broker, inspect.isfunction)
        if "command_id" in inspect.signature(method).parameters or name.startswith("submit_order")
    }
    assert changing == set(TRADING)
    assert not reading & changing


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("host/shortcut.py", "async def go(broker, request): return await broker.submit_order(request)"),
        ("host/shortcut.py", "def go(broker): return broker.cancel_all"),
        ("guard/shortcut.py", "def go(access): return access.provider.close_position"),
        ("gateway/shortcut.py", "async def go(entry, one): return await entry.access.provider.cancel_order(one)"),
        ("gateway/shortcut.py", "def go(access):\n    provider = access.provider\n    return provider"),
        ("gateway/shortcut.py", "def go(access):\n    return getattr(access, 'amend_order')"),
        ("cli/shortcut.py", "from operator import methodcaller\ngo = methodcaller('modify_position')"),
    ],
)
def test_the_check_finds_a_way_round(tmp_path, file, line):
    shortcut = tmp_path / file
    shortcut.parent.mkdir(parents=True)
    shortcut.write_text(line)
    assert [way.partition(":")[0] for way in ways_round(tmp_path)][:1] == [file]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("orders/desk.py", "async def go(provider, one): return await provider.submit_order(one)"),
        ("gateway/stopping.py", "async def go(handle, one): return await handle.cancel_order(one)"),
        ("testing/suite.py", "async def go(rig, one): return await rig.broker.submit_order(one)"),
        ("guard/facts.py", "KIND = 'submit_order'"),
    ],
)
def test_the_check_lets_the_desk_the_handles_and_the_suites_be(tmp_path, file, line):
    allowed = tmp_path / file
    allowed.parent.mkdir(parents=True)
    allowed.write_text(line)
    assert ways_round(tmp_path) == []

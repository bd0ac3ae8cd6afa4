"""What a provider can do after its start, against what its manifest declares."""

from __future__ import annotations

import pytest

from gatehook import InstrumentId
from gatehook import Timeframe
from gatehook import UnsupportedCapability
from gatehook.host.negotiation import negotiate
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.orders import OrderType
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.scripted import Scripted
from tests.host.scripted import manifest

CLOSES = "supportsClosePosition"

EURUSD = InstrumentId.parse("EURUSD.SCRIPTED")
LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP


@pytest.mark.parametrize(
    ("declared", "actual", "effective", "narrower", "wider"),
    [
        ({"amend": True}, {"amend": False}, {"amend": False}, "supportsAmend", ""),
        ({"amend": True}, {"amend": "price"}, {"amend": "price"}, "supportsAmend", ""),
        ({"close_position": "whole"}, {"close_position": False}, {"close_position": False}, CLOSES, ""),
        ({"amend": False}, {"amend": True}, {"amend": False}, "", "supportsAmend"),
        (
            {"order_types": (MARKET, LIMIT)},
            {"order_types": (LIMIT, STOP)},
            {"order_types": (LIMIT,)},
            "orderTypes",
            "orderTypes",
        ),
        ({}, {"client_order_id_length": 20}, {"client_order_id_length": 20}, "clientOrderIdLength", ""),
        ({}, {"client_order_id_length": 40}, {"client_order_id_length": 36}, "", "clientOrderIdLength"),
        (
            {"absence_proof": AbsenceProof.SCAN},
            {"absence_proof": AbsenceProof.NONE},
            {"absence_proof": AbsenceProof.NONE},
            "absenceProof",
            "",
        ),
        (
            {"absence_proof": AbsenceProof.SCAN},
            {"absence_proof": AbsenceProof.BY_ID_LAG},
            {"absence_proof": AbsenceProof.BY_ID_LAG},
            "absenceProof",
            "",
        ),
    ],
)
def test_both_have_to_say_so(declared, actual, effective, narrower, wider):
    found = negotiate(BrokerCapabilities(**declared), BrokerCapabilities(**actual))
    assert found.effective == BrokerCapabilities(**effective)
    assert (",".join(found.narrower), ",".join(found.wider)) == (narrower, wider)


def test_polled_ticks_are_less_than_pushed_and_more_than_none():
    full, polled = MarketDataCapabilities(ticks=True), MarketDataCapabilities(ticks="polled")
    assert negotiate(full, polled).narrower == ("supportsTicks",)
    assert negotiate(polled, full).effective == polled
    assert negotiate(MarketDataCapabilities(), polled).wider == ("supportsTicks",)


def test_none_means_as_declared_and_another_kind_is_refused():
    declared = MarketDataCapabilities(ticks=True)
    assert negotiate(declared, None).effective is declared
    with pytest.raises(TypeError, match="MarketDataCapabilities or None"):
        negotiate(declared, MemoryCapabilities())


@pytest.mark.anyio
async def test_narrower_is_degraded_and_withdrawn(tmp_path):
    plugin = Scripted()
    plugin.capabilities = MarketDataCapabilities()
    about = manifest(capabilities={"supportsHistory": True})
    async with host_of(tmp_path, plugins=[(about, plugin)]) as host:
        assert state_of(host, "scripted") == "degraded"
        assert "host.capability-narrower" in codes(host)
        assert host.health().status == "degraded"
        with pytest.raises(UnsupportedCapability):
            await host.market_data("scripted").history(EURUSD, Timeframe.H1, start=0, end=1)
        await host.market_data("scripted").quote(EURUSD)


@pytest.mark.anyio
async def test_wider_is_ignored_and_said(tmp_path):
    plugin = Scripted()
    plugin.capabilities = MarketDataCapabilities(history=True)
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        assert state_of(host, "scripted") == "active"
        assert "host.capability-wider" in codes(host)
        with pytest.raises(UnsupportedCapability):
            await host.market_data("scripted").history(EURUSD, Timeframe.H1, start=0, end=1)


@pytest.mark.anyio
async def test_capabilities_of_a_wrong_type_fail_the_start(tmp_path):
    plugin = Scripted()
    plugin.capabilities = {"supportsHistory": True}
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        assert any("capabilities() returned dict" in one.message for one in host.diagnostics)
        assert state_of(host, "scripted") != "active"

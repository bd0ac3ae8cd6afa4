"""The testing kit for authors of plugins: fixtures, and the suites that every plugin of a kind must pass.

Installed with Gatehook as a pytest plugin. A broker's tests inherit the suite and say how to reach the broker::

    from gatehook.testing import BrokerRig, BrokerSuite

    class TestMyBroker(BrokerSuite):
        @pytest.fixture
        async def rig(self, plugin_host):
            async with plugin_host(paths=["path/to/my_broker"]) as host:
                yield BrokerRig.of(host, "my_broker", venue=MyVenue())

Each test of a suite is one numbered statement of the contract. A statement is skipped only where the plugin does not
declare the capability that it belongs to, or where the rig's venue cannot bring about the fault that it needs; every
run prints both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.testing.broker_suite import BrokerSuite as BrokerSuite
    from gatehook.testing.desk_suite import DeskSuite as DeskSuite
    from gatehook.testing.market_data_suite import MarketDataSuite as MarketDataSuite
    from gatehook.testing.market_data_suite import PricesRig as PricesRig
    from gatehook.testing.memory_suite import MemorySuite as MemorySuite
    from gatehook.testing.prices import ControlledPrices as ControlledPrices
    from gatehook.testing.rig import BrokerRig as BrokerRig
    from gatehook.testing.rig import Fault as Fault
    from gatehook.testing.rig import Venue as Venue

__all__, __getattr__, __dir__ = lazy_exports(  # a stand-in server is run where pytest is not installed
    __name__,
    {
        "broker_suite": "BrokerSuite",
        "desk_suite": "DeskSuite",
        "market_data_suite": "MarketDataSuite PricesRig",
        "memory_suite": "MemorySuite",
        "prices": "ControlledPrices",
        "rig": "BrokerRig Fault Venue",
    },
)

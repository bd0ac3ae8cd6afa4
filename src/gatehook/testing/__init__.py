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

from gatehook.testing.broker_suite import BrokerSuite
from gatehook.testing.desk_suite import DeskSuite
from gatehook.testing.market_data_suite import MarketDataSuite
from gatehook.testing.market_data_suite import PricesRig
from gatehook.testing.memory_suite import MemorySuite
from gatehook.testing.prices import ControlledPrices
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import Fault
from gatehook.testing.rig import Venue

__all__ = [
    "BrokerRig",
    "BrokerSuite",
    "ControlledPrices",
    "DeskSuite",
    "Fault",
    "MarketDataSuite",
    "MemorySuite",
    "PricesRig",
    "Venue",
]

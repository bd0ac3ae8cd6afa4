"""The statements about faults are sharp: brokers that take a fault the wrong way break the statement about it."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from tests.mutation import Mutant
from tests.testing.broken import breach
from tests.testing.broken import copy_of
from tests.testing.rigs import WIRE_BROKER
from tests.testing.rigs import wire_broking

pytestmark = pytest.mark.anyio

ONCE = "                answer = await self._exchange(wire, request)\n            if"
CANCEL = '        return await self._command(do="cancel", client=ref.client_order_id)\n'


def defect(name: str, number: int, before: str, after: str):
    return pytest.param(number, Mutant("plugin.py", before, after), id=name)


DEFECTS = [
    defect("no-connection-is-doubt", 14, "raise NotConnected(f", "raise Ambiguous(f"),
    defect("a-lost-reply-is-no-connection", 14, "async with self.sending():", "if wire:"),
    defect(
        "sends-again-after-a-lost-reply",
        14,
        ONCE,
        "                try:\n"
        "                    answer = await self._exchange(wire, request)\n"
        "                except LOST:\n"
        "                    answer = await self._exchange(await self._connected(), request)\n"
        "            if",
    ),
    defect(
        "every-code-is-a-refusal",
        16,
        "        if code is not None:\n            raise Ambiguous(",
        "        if code:\n            raise Rejected(",
    ),
    defect(
        "all-is-as-it-was-asked",
        21,
        'filled, canceled = Decimal(wire["filled"])',
        'filled, canceled = request.quantity - Decimal(wire["canceled"]) * 0',
    ),
    defect(
        "a-lost-cancel-is-a-cancel",
        26,
        CANCEL,
        "        try:\n"
        '            return await self._command(do="cancel", client=ref.client_order_id)\n'
        "        except Ambiguous:\n"
        "            return (await self.get_order(ref)).order\n",
    ),
    defect(
        "cancels-until-it-is-so",
        26,
        CANCEL,
        "        for _ in range(3):\n"
        "            try:\n"
        '                return await self._command(do="cancel", client=ref.client_order_id)\n'
        "            except Ambiguous as error:\n"
        "                last = error\n"
        "        raise last\n",
    ),
    defect(
        "too-late-is-canceled",
        29,
        CANCEL,
        "        try:\n"
        '            return await self._command(do="cancel", client=ref.client_order_id)\n'
        "        except OrderNotCancellable:\n"
        "            return (await self.get_order(ref)).order\n",
    ),
    defect(
        "always-complete",
        34,
        'complete=not report["synchronizing"],\n            ts_event',
        "complete=True,\n            ts_event",
    ),
    defect(
        "positions-always-complete",
        34,
        'positions=positions, complete=not report["synchronizing"]',
        "positions=positions, complete=True",
    ),
    defect("keeps-its-wrong-clock", 43, 'self._skew += answer["now"]', 'self._skew -= answer["now"]'),
    defect("gives-up-over-the-clock", 43, "in (True, False):", "in (False,):"),
    defect(
        "shows-its-token",
        45,
        "    async def __aenter__(self):\n",
        "    def __repr__(self):\n        return self._token.reveal()\n\n    async def __aenter__(self):\n",
    ),
]


@pytest.fixture
def token(secret_canaries):
    return secret_canaries.make("WIRE_TOKEN")


def needed(number, secret_canaries):
    """Return what a statement takes besides the rig."""
    return {"secret_canaries": secret_canaries} if number == 45 else {}


@pytest.mark.parametrize(("number", "mutant"), DEFECTS)
async def test_a_defect_breaks_its_statement(plugin_host, tmp_path, secret_canaries, token, number, mutant):
    plugin = copy_of(WIRE_BROKER, tmp_path / "plugin", mutant)
    async with wire_broking(plugin_host, plugin, token) as rig:
        assert await breach(BrokerSuite, number, rig, **needed(number, secret_canaries)) is not None


@pytest.mark.parametrize("number", sorted({one.values[0] for one in DEFECTS}))
async def test_without_a_defect_the_statement_holds(plugin_host, tmp_path, secret_canaries, token, number):
    async with wire_broking(plugin_host, copy_of(WIRE_BROKER, tmp_path / "plugin"), token) as rig:
        assert await breach(BrokerSuite, number, rig, **needed(number, secret_canaries)) is None

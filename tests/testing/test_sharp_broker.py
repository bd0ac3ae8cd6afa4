"""The statements for brokers are sharp: dealers with a defect break the statement that is about it."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from tests.mutation import Mutant
from tests.testing.broken import breach
from tests.testing.broken import copy_of
from tests.testing.rigs import DEALER
from tests.testing.rigs import dealing

pytestmark = pytest.mark.anyio

CHECKS = """        check_shape(request)
        check_capabilities(request, self._declared)
        check_instrument(request, self._instrument(request))
"""
FINAL = "        if order.status.is_final:\n"


def defect(name: str, number: int, before: str, after: str, file: str = "broker.py"):
    return pytest.param(number, Mutant(file, before, after), id=name)


def declares(name: str, number: int, word: str):
    """Make a dealer that declares what it does not do."""
    return defect(name, number, '"supportsEvents": true', f'"supportsEvents": true, {word}', "plugin.json")


DEFECTS = [
    defect(
        "cuts-ids",
        5,
        "        known = self._book.find(request.ref)\n",
        "        request = attrs.evolve(request, client_order_id=request.client_order_id[:32])\n"
        "        known = self._book.find(request.ref)\n",
    ),
    defect(
        "sends-before-checking",
        7,
        CHECKS,
        '        await self._book.write(Order.of(request, OrderStatus.ACCEPTED, venue_order_id="0"))\n' + CHECKS,
    ),
    defect("checks-no-bounds", 7, "        check_instrument(request, self._instrument(request))\n", ""),
    defect(
        "rounds-quantities",
        8,
        CHECKS,
        "        request = attrs.evolve(request, quantity=request.quantity // 1000 * 1000)\n" + CHECKS,
    ),
    defect(
        "prices-with-two-places",
        9,
        "        order = self._book.find(ref)\n        evidence",
        "        order = self._book.find(ref)\n"
        "        rough = attrs.evolve(order.request, price=round(order.request.price, 2))\n"
        "        order = attrs.evolve(order, request=rough)\n"
        "        evidence",
    ),
    defect("takes-the-undeclared", 10, "        check_capabilities(request, self._declared)\n", ""),
    defect("stops-that-are-none", 10, '"limit"]', '"limit", "stop_limit"]', "plugin.json"),
    defect(
        "defaults-the-unit",
        12,
        CHECKS,
        '        request = attrs.evolve(request, quantity_unit=type(request.quantity_unit)("base"))\n' + CHECKS,
    ),
    defect(
        "live-without-a-word", 13, 'name=one, mode=Mode.PAPER, venue="dealer"', 'name=one, mode=Mode.LIVE, venue=""'
    ),
    defect("fill-after-the-end", 18, "self._tell(fill, filled)", "self._tell(filled, fill)"),
    defect("fill-told-twice", 18, "self._tell(fill, filled)", "self._tell(fill, fill, filled)"),
    declares("post-only-that-takes", 19, '"supportsPostOnly": true'),
    declares("reduce-only-that-flips", 20, '"supportsReduceOnly": true'),
    defect("cancels-nothing-of-it", 22, "leaves=0, canceled=order.leaves", "leaves=order.leaves, canceled=0"),
    defect("second-cancel-succeeds", 23, FINAL, "        if order.status is OrderStatus.FILLED:\n"),
    defect("cancels-what-is-filled", 24, FINAL, "        if order.status is OrderStatus.CANCELED:\n"),
    defect("proves-no-absence", 25, "Evidence.ABSENT if order is None", "Evidence.INDETERMINATE if order is None"),
    declares("cancel-all-without-it", 27, '"supportsCancelAll": true'),
    declares("amend-without-it", 28, '"supportsAmend": true'),
    defect("forgets-the-side", 33, "Side.BUY if quantity > 0 else Side.SELL", "Side.BUY", "book.py"),
    defect(
        "calls-itself-incomplete",
        34,
        'currency="USD",\n            complete=True',
        'currency="USD",\n            complete=False',
    ),
    defect("loses-its-book", 44, "        await self._book.load()\n", ""),
    defect(
        "shows-its-secrets",
        45,
        "    async def __aenter__(self) -> Self:\n",
        "    def __repr__(self) -> str:\n"
        "        import os\n\n"
        '        return os.environ["DEALER_TOKEN"]\n\n'
        "    async def __aenter__(self) -> Self:\n",
    ),
]


def needed(number, secret_canaries):
    """Return what a statement takes besides the rig."""
    if number != 45:
        return {}
    secret_canaries.make("DEALER_TOKEN")
    return {"secret_canaries": secret_canaries}


@pytest.mark.parametrize(("number", "mutant"), DEFECTS)
async def test_a_defect_breaks_its_statement(plugin_host, tmp_path, secret_canaries, number, mutant):
    fixtures = needed(number, secret_canaries)
    async with dealing(plugin_host, copy_of(DEALER, tmp_path / "dealer", mutant)) as rig:
        assert await breach(BrokerSuite, number, rig, **fixtures) is not None


@pytest.mark.parametrize("number", sorted({one.values[0] for one in DEFECTS}))
async def test_without_a_defect_the_statement_holds(plugin_host, tmp_path, secret_canaries, number):
    fixtures = needed(number, secret_canaries)
    async with dealing(plugin_host, copy_of(DEALER, tmp_path / "dealer")) as rig:
        assert await breach(BrokerSuite, number, rig, **fixtures) is None

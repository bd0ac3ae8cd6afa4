"""A broker whose venue never says what became of an order; the tests write this file to disk as a plugin."""

from __future__ import annotations

import anyio

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import AccountState
from gatehook import AccountType
from gatehook import Ambiguous
from gatehook import Broker
from gatehook import Evidence
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import Mode
from gatehook import OrderLookup
from gatehook import PositionMode
from gatehook import PositionReport
from gatehook import hookimpl
from gatehook.kinds.provider import Page

MAIN = AccountKey("doubtful", "main")


class Doubtful(Broker):
    def __init__(self, context):
        self.context = context

    async def list_accounts(self):
        return [AccountRef(account=MAIN, name="main", mode=Mode.PAPER, venue="DOUBTFUL")]

    async def get_account(self, account):
        return AccountState(
            account=account,
            mode=Mode.PAPER,
            account_type=AccountType.MARGIN,
            position_mode=PositionMode.NETTING,
            currency="USD",
            complete=True,
            ts_event=self.context.clock.now(),
        )

    async def list_instruments(self, *, query=None):
        return [
            Instrument(
                id=InstrumentId("XYZ", "DOUBTFUL"),
                native_symbol="XYZ",
                base="XYZ",
                quote="USD",
                price_increment="0.01",
                size_increment="1",
                settle_currency="USD",
            )
        ]

    async def submit_order(self, request):
        if "hang" in request.tags:
            await anyio.sleep_forever()
        raise Ambiguous("the line went dead")

    async def cancel_order(self, ref, *, command_id):
        raise Ambiguous("the line went dead")

    async def get_order(self, ref):
        return OrderLookup(evidence=Evidence.INDETERMINATE, complete=False, as_of=self.context.clock.now())

    async def list_orders(self, account, *, open_only=True, since=None, cursor=None):
        return Page(items=(), complete=True)

    async def list_fills(self, account, *, since=None, cursor=None):
        return Page(items=(), complete=True)

    async def list_positions(self, account):
        return PositionReport(account=account, positions=(), complete=True, as_of=self.context.clock.now())


@hookimpl
def provide_broker(context):
    return Doubtful(context)

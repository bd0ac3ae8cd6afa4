"""The desk under whatever comes at the same time: no order doubled, none lost, none that nobody may."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import initialize
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule

from gatehook import PositionRef
from gatehook import Protection
from gatehook.diagnostics import GatehookError
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from tests.property.bench import ASKED
from tests.property.bench import FREE
from tests.property.bench import Bench
from tests.property.venue import EURUSD
from tests.property.venue import MAIN
from tests.property.venue import Bend
from tests.property.venue import Twist

Command = Callable[[], Awaitable[Any]]

HERE = PositionRef(account=MAIN, instrument_id=EURUSD)
BENDS = st.sampled_from([None, None, None, *Bend])
SIZES = st.integers(1, 30)
WHO = st.sampled_from([FREE, FREE, ASKED])
PICK = st.integers(0, 1_000)
#: What comes now and then, the first most often.
HAPPENINGS = ["goes on", "goes on", "news", "news", "news", "line", "halt", "minute", "start"]
KINDS = st.sampled_from(["submit", "submit", "cancel", "amend", "close", "again"])


class DeskMachine(RuleBasedStateMachine):
    @initialize(backend=st.sampled_from(["asyncio", "trio"]))
    def begin(self, backend):
        self.directory = Path(tempfile.mkdtemp(prefix="gatehook-desk-"))
        self.bench = Bench(self.directory, backend)
        self.venue = self.bench.venue
        self.requests: dict[str, OrderRequest] = {}
        self.callers: dict[str, str] = {}
        self.count = 0

    # --- commands

    def name(self, kind: str, caller: str) -> str:
        self.count += 1
        name = f"{kind}{self.count}"
        if caller == ASKED:
            self.venue.unapproved.add(name)
        return name

    def submit(self, caller: str, size: int, pick: int) -> Command:
        kind = OrderType.LIMIT if pick % 2 else OrderType.MARKET
        request = OrderRequest(
            client_order_id=self.name("o", caller),
            account=MAIN,
            instrument_id=EURUSD,
            side=Side.BUY if pick % 4 < 2 else Side.SELL,
            type=kind,
            quantity=size,
            quantity_unit=QuantityUnit.BASE,
            price="1.1" if kind is OrderType.LIMIT else None,
        )
        self.requests[request.client_order_id], self.callers[request.client_order_id] = request, caller
        return lambda: self.bench.handle(caller).submit_order(request)

    def command(self, kind: str, caller: str, size: int, pick: int) -> Command | None:
        if kind == "submit":
            return self.submit(caller, size, pick)
        if kind == "close":
            name = self.name("x", FREE)
            quantity = None if pick % 2 else Decimal(size)
            return lambda: self.bench.handle().close_position(HERE, quantity=quantity, command_id=name)
        if not self.requests:
            return None
        order = list(self.requests)[pick % len(self.requests)]
        if kind == "again":
            return lambda: self.bench.handle(self.callers[order]).submit_order(self.requests[order])
        if kind == "cancel":
            name = self.name("c", FREE)
            return lambda: self.bench.handle().cancel_order(order, command_id=name)
        name = self.name("a", caller)
        change = OrderChange(quantity=size) if pick % 2 else OrderChange(price="1.2")
        return lambda: self.bench.handle(caller).amend_order(order, change, command_id=name)

    @rule(kind=KINDS, caller=WHO, size=SIZES, pick=PICK, bend=BENDS)
    def one_command(self, kind, caller, size, pick, bend):
        command = self.command(kind, caller, size, pick)
        if command is not None:
            self.venue.bends[:] = [bend]
            self.bench.together(command)

    @rule(kind=KINDS, caller=WHO, size=SIZES, pick=PICK)
    def a_plain_command(self, kind, caller, size, pick):
        command = self.command(kind, caller, size, pick)
        if command is not None:
            self.venue.bends.clear()
            self.bench.together(command)

    @rule(commands=st.lists(st.tuples(KINDS, WHO, SIZES, PICK, BENDS), min_size=2, max_size=6))
    def many_at_once(self, commands):
        made = [self.command(kind, caller, size, pick) for kind, caller, size, pick, _ in commands]
        self.venue.bends[:] = [bend for *_, bend in commands]
        self.bench.together(*[one for one in made if one is not None])

    @rule(size=SIZES)
    def the_same_order_from_two_tasks(self, size):
        submit = self.submit(FREE, size, 1)
        self.venue.bends.clear()
        first, second = self.bench.together(submit, submit)
        assert type(first) is type(second)

    @rule(bend=BENDS)
    def cancel_all(self, bend):
        name = self.name("l", FREE)
        self.venue.bends[:] = [bend]
        self.bench.together(lambda: self.bench.handle().cancel_all(MAIN, command_id=name))

    @rule(bend=BENDS, on=st.booleans())
    def protect(self, bend, on):
        name = self.name("p", FREE)
        protection = Protection(stop_loss="1.0" if on else None)
        self.venue.bends[:] = [bend]
        self.bench.together(lambda: self.bench.handle().modify_position(HERE, protection, command_id=name))

    # --- the venue, the line, the halt: less often than commands, and never bad for long

    @rule(what=st.sampled_from(HAPPENINGS), twist=st.sampled_from(Twist))
    def something_happens(self, what, twist):
        match what:
            case "goes on":
                self.bench.call(self.venue.release)
            case "news":
                self.bench.call(self.venue.deliver, twist)
            case "line":
                self.bench.call(self.venue.disconnect if self.venue.connected else self.venue.connect)
            case "halt":
                self.halt()
            case "minute":
                self.bench.clock.ahead += 61
            case "start":
                self.bench.restart()

    @rule(pick=PICK, size=SIZES)
    def the_venue_trades(self, pick, size):
        working = [name for name, one in self.venue.orders.items() if not one.status.is_final]
        if working:
            name = working[pick % len(working)]
            quantity = min(Decimal(size), self.venue.orders[name].leaves)
            self.bench.call(self.venue.trade, name, quantity)

    @precondition(lambda self: not self.venue.connected)
    @rule()
    def the_line_is_back(self):
        self.bench.call(self.venue.connect)

    @precondition(lambda self: self.venue.halted)
    @rule()
    def resume(self):
        self.venue.halted = False
        self.bench.call(self._resume)

    async def _resume(self):
        await self.bench.desk.resume("all", reason="a test", by="person")

    def halt(self):
        self.bench.call(self._halt)
        self.venue.halted = True

    async def _halt(self):
        await self.bench.desk.halt("all", reason="a test", by="person")

    # --- people

    def pending(self, pick: int) -> Any:
        found = self.bench.desk.guard.approvals.pending()
        return found[pick % len(found)] if found else None

    @rule(pick=PICK, bend=BENDS, twice=st.booleans())
    def approve(self, pick, bend, twice):
        approval = self.pending(pick)
        if approval is None:
            return
        self.venue.unapproved.discard(approval.command_id)
        self.venue.bends[:] = [bend]
        commands = [lambda: self._answered(approval)] * (1 + twice)
        self.bench.together(*commands)

    async def _answered(self, approval: Any) -> Any:
        try:
            return await self.bench.desk.approve(approval.approval_id, person="person", digest=approval.digest)
        except GatehookError as error:
            return error

    @rule(pick=PICK)
    def reject(self, pick):
        approval = self.pending(pick)
        if approval is not None:
            self.bench.call(self._reject, approval)

    async def _reject(self, approval: Any) -> None:
        with suppress(GatehookError, ProviderError):
            await self.bench.desk.reject(approval.approval_id, person="person")

    @rule()
    def all_is_as_the_venue_says(self):
        self.bench.settle()

    @invariant()
    def holds(self):
        if hasattr(self, "bench"):
            self.bench.check()

    def teardown(self):
        if not hasattr(self, "bench"):
            return
        try:
            self.bench.settle()
        finally:
            self.bench.close()
            shutil.rmtree(self.directory)


DeskMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
test_whatever_comes_at_once = pytest.mark.timeout(300)(DeskMachine.TestCase)

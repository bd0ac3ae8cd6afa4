"""Under any sequence of commands, outcomes, fills and reports nothing ever exceeds a limit."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule

from gatehook.config.trading import LimitsConfig
from gatehook.guard.facts import CommandKind
from gatehook.kinds.errors import LimitExceeded
from gatehook.kinds.instruments import AccountKey
from tests.guard.board import MAIN
from tests.guard.board import OTHER
from tests.guard.board import Stage
from tests.guard.board import facts
from tests.guard.board import fill
from tests.guard.board import order
from tests.guard.board import order_facts
from tests.guard.board import position
from tests.guard.board import report
from tests.guard.board import request

ACCOUNTS = st.sampled_from([MAIN, OTHER])
SIDES = st.sampled_from(["buy", "sell"])
QUANTITIES = st.integers(1, 12)
ANY = st.integers(0, 10**6)

POSITION = {MAIN: 20, "venue": 30}
ORDERS = {MAIN: 5, "venue": 7}
PER_MINUTE = {MAIN: 25, "venue": 30}


class Live:
    """An order as the venue has it, and how much of that the gateway was told."""

    def __init__(self, account: AccountKey, side: str, quantity: int) -> None:
        self.account = account
        self.side = side
        self.quantity = quantity
        self.filled = 0
        self.over = False

    def told(self, key: str, at: int, status: str = "accepted"):
        return order(key, self.quantity, status, filled=self.filled, account=self.account, side=self.side, at=at)


class Venue(RuleBasedStateMachine):
    """The truth, and a gateway that learns of it late and in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        configs = [
            LimitsConfig(
                scope=str(scope),
                max_position=Decimal(POSITION[scope]),
                max_open_orders=ORDERS[scope],
                orders_per_minute=PER_MINUTE[scope],
            )
            for scope in POSITION
        ]
        self.stage = Stage(Path(self.folder.name), *configs, known=(MAIN, OTHER))
        self.time = 1
        self.live: dict[str, Live] = {}
        self.flying: dict[str, Live] = {}
        self.amending: dict[str, tuple[str, int]] = {}
        self.positions = {MAIN: 0, OTHER: 0}
        self.untold: list = []
        self.sent: list[tuple[float, AccountKey, str]] = []
        self.names = self.trades = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    def name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def reserve(self, command) -> bool:
        try:
            self.stage.limits.reserve(command)
        except LimitExceeded:
            return False
        for _ in command.orders:
            self.sent.append((self.stage.seconds, command.account, command.command_id))
        return True

    # --- commands

    @rule(account=ACCOUNTS, side=SIDES, quantities=st.lists(QUANTITIES, min_size=1, max_size=3))
    def submit(self, account, side, quantities):
        keys = [self.name() for _ in quantities]
        orders = [request(key, quantity, side, account=account) for key, quantity in zip(keys, quantities, strict=True)]
        if self.reserve(facts(*orders, command_id=f"list-{keys[0]}")):
            for key, quantity in zip(keys, quantities, strict=True):
                self.flying[key] = Live(account, side, quantity)

    @rule(account=ACCOUNTS, side=SIDES, quantity=QUANTITIES)
    def reserve_and_send_nothing(self, account, side, quantity):
        key = self.name()
        if self.reserve(facts(request(key, quantity, side, account=account))):
            self.stage.limits.release(key)
            self.sent = [one for one in self.sent if one[2] != key]

    @precondition(lambda self: self.flying)
    @rule(which=ANY, intent=st.booleans(), status=st.sampled_from(["submitted", "unknown", "accepted"]))
    def arrive(self, which, intent, status):
        key = self.pick(self.flying, which)
        one = self.live[key] = self.flying.pop(key)
        if intent:
            self.stage.exposure.apply_order(one.told(key, self.time, status))

    @precondition(lambda self: self.flying)
    @rule(which=ANY)
    def reject(self, which):
        key = self.pick(self.flying, which)
        one = self.flying.pop(key)
        one.over = True
        self.stage.exposure.apply_order(one.told(key, self.time, "rejected"))

    @precondition(lambda self: self.open())
    @rule(which=ANY, quantity=QUANTITIES)
    def amend(self, which, quantity):
        key = self.pick(self.open(), which)
        one, command = self.live[key], self.name()
        asked = request(key, one.filled + quantity, one.side, account=one.account)
        if not self.stage.exposure.has(one.account, key):
            return
        change = facts(order_facts(asked, replaces=key), command_id=command, kind=CommandKind.AMEND)
        if self.reserve(change):
            self.amending[command] = (key, one.filled + quantity)

    @precondition(lambda self: self.amending)
    @rule(which=ANY, taken=st.booleans())
    def answer_amend(self, which, taken):
        command = self.pick(self.amending, which)
        key, quantity = self.amending.pop(command)
        one = self.live[key]
        if not one.over and taken and quantity > one.filled:
            one.quantity = quantity
        self.stage.exposure.apply_order(one.told(key, self.time, self.status(one)))
        self.stage.limits.settle(command)

    # --- what the venue does and tells

    @precondition(lambda self: self.open())
    @rule(which=ANY, part=QUANTITIES, tick=st.integers(0, 1))
    def trade(self, which, part, tick):
        key = self.pick(self.open(), which)
        one = self.live[key]
        part = min(part, one.quantity - one.filled)
        self.time += tick
        self.trades += 1
        one.filled += part
        one.over = one.filled == one.quantity
        self.positions[one.account] += part if one.side == "buy" else -part
        self.untold.append(
            fill(f"t{self.trades}", key, part, one.side, at=self.time, account=one.account, client_order_id=None)
        )

    @precondition(lambda self: self.untold)
    @rule(which=ANY)
    def tell_fill(self, which):
        self.stage.exposure.apply_fill(self.untold.pop(which % len(self.untold)))

    @precondition(lambda self: self.live)
    @rule(which=ANY)
    def tell_order(self, which):
        key = self.pick(self.live, which)
        one = self.live[key]
        self.stage.exposure.apply_order(one.told(key, self.time, self.status(one)))

    @precondition(lambda self: self.open())
    @rule(which=ANY)
    def cancel(self, which):
        key = self.pick(self.open(), which)
        self.live[key].over = True
        self.stage.exposure.apply_order(self.live[key].told(key, self.time, "canceled"))

    @rule(account=ACCOUNTS, complete=st.booleans(), tick=st.integers(0, 1))
    def tell_positions(self, account, complete, tick):
        held = self.positions[account] if complete else 0
        self.time += tick
        positions = [position(held, account=account)] if held else []
        self.stage.exposure.apply_positions(report(*positions, at=self.time, complete=complete, account=account))

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds):
        self.stage.seconds += seconds

    # --- what must hold

    @invariant()
    def what_would_be_over_a_limit_is_refused(self):
        for account in self.positions:
            for scope in (account, account.entry_id):
                if scope not in POSITION:
                    continue
                assert self.working(scope) <= ORDERS[scope]
                assert self.recent(scope) <= PER_MINUTE[scope]
                room = min(ORDERS[scope] - self.working(scope), PER_MINUTE[scope] - self.recent(scope))
                assert self.is_refused([request(f"x{n}", 1, account=account) for n in range(room + 1)])
                for side in ("buy", "sell"):
                    left = POSITION[scope] - self.worst(scope, side)
                    assert left >= 0, (scope, side)
                    assert self.is_refused([request("x", left + 1, side, account=account)])

    def is_refused(self, orders) -> bool:
        try:
            self.stage.limits.check(facts(*orders, command_id="x"))
        except LimitExceeded:
            return True
        return False

    def at_risk(self, scope) -> list[Live]:
        known = [*self.flying.values(), *self.live.values()]
        return [one for one in known if not one.over and scope in (one.account, one.account.entry_id)]

    def worst(self, scope, side: str) -> int:
        """A position on the other side makes no room: closing it is held up by no limit."""
        sign = 1 if side == "buy" else -1
        held = sum(
            max(sign * held, 0) for account, held in self.positions.items() if scope in (account, account.entry_id)
        )
        return held + sum(one.quantity - one.filled for one in self.at_risk(scope) if one.side == side)

    def working(self, scope) -> int:
        return len(self.at_risk(scope))

    def recent(self, scope) -> int:
        oldest = self.stage.seconds - 60
        return sum(1 for at, account, _ in self.sent if scope in (account, account.entry_id) and at > oldest)

    # --- within

    def open(self) -> dict[str, Live]:
        return {key: one for key, one in self.live.items() if not one.over}

    @staticmethod
    def status(one: Live) -> str:
        if one.over:
            return "filled" if one.filled == one.quantity else "canceled"
        return "partially_filled" if one.filled else "accepted"

    @staticmethod
    def pick(among, which: int) -> str:
        return sorted(among)[which % len(among)]


TestNothingExceedsALimit = Venue.TestCase
TestNothingExceedsALimit.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)

"""No order of judging, using, waiting, jumping clocks and restarting lets a grant be used beyond what was given."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import anyio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import rule

from gatehook.config import PermissionRule
from gatehook.config import Permit
from gatehook.guard.facts import CommandFacts
from gatehook.guard.grant import Grant
from gatehook.guard.permissions import Permissions
from gatehook.kinds.errors import PermissionDenied
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import opened
from tests.guard.asked import order

RULES = (PermissionRule(caller="banned", decision=Permit.DENY), PermissionRule(decision=Permit.ASK))
AMOUNTS = st.sampled_from([None, "0", "0.1", "30", "50", "70"])
COMMANDS = st.builds(
    lambda caller, values: command(*(order(value) for value in values), caller=caller),
    st.sampled_from(["agent:one", "banned"]),
    st.lists(AMOUNTS, max_size=3),
)


class Granting(RuleBasedStateMachine):
    """A model that keeps every use for ever, beside grants that keep counters."""

    given = Bundle("given")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clocks = Clocks()
        self.grants = opened(Path(self.folder.name), self.clocks)
        self.ends: dict[str, float] = {}
        self.given_uses: dict[str, int | None] = {}
        self.uses: dict[str, list[tuple[float, int, CommandFacts]]] = defaultdict(list)
        self.revoked: set[str] = set()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(
        target=given,
        uses=st.sampled_from([None, 1, 2]),
        each=st.sampled_from([None, "50"]),
        daily=st.sampled_from([None, "100"]),
        rate=st.sampled_from([None, 1, 3]),
        lifetime=st.sampled_from([30.0, 90.0, 900.0]),
    )
    def give(self, uses: int | None, each: str | None, daily: str | None, rate: int | None, lifetime: float) -> Grant:
        found = self.grants.grant(
            caller="*",
            lifetime=lifetime,
            given_by="anna",
            uses=uses,
            max_notional=each,
            max_daily_notional=daily,
            rate_per_minute=rate,
        )
        self.ends[found.grant_id] = self.clocks.passed + lifetime
        self.given_uses[found.grant_id] = uses
        return found

    @rule(facts=COMMANDS)
    def trade(self, facts: CommandFacts) -> None:
        verdict = Permissions(RULES, self.grants).judge(facts)
        if facts.caller == "banned":
            assert (verdict.permit, verdict.by) == (Permit.DENY, "rule:1")
        elif verdict.permit is Permit.ALLOW:
            assert verdict.grant is not None
            self.use(verdict.grant, facts)

    @rule(grant=given, facts=COMMANDS)
    def use(self, grant: Grant, facts: CommandFacts) -> None:
        """Also without having asked first, as a command does that was overtaken."""
        try:
            anyio.run(self.grants.consume, grant.grant_id, facts)
        except PermissionDenied:
            return
        self.uses[grant.grant_id].append((self.clocks.passed, self.clocks.at // DAY, facts))
        self.check(grant)

    def check(self, grant: Grant) -> None:
        uses = self.uses[grant.grant_id]
        now, day, facts = uses[-1]
        assert grant.grant_id not in self.revoked
        assert now < self.ends[grant.grant_id]
        assert self.clocks.at < grant.expires_at
        given = self.given_uses[grant.grant_id]
        assert given is None or len(uses) <= given
        values = [one.value for one in facts.orders]
        if grant.max_notional is not None:
            assert values
            assert all(value is not None and value <= grant.max_notional for value in values)
        if grant.max_daily_notional is not None:
            worth = [one.value for _, on, used in uses if on == day for one in used.orders]
            assert None not in worth
            assert sum(worth, Decimal(0)) <= grant.max_daily_notional
        if grant.rate_per_minute is not None:
            orders = sum(max(1, len(used.orders)) for at, _, used in uses if at > now - 60)
            assert orders <= grant.rate_per_minute

    @rule(grant=given)
    def revoke(self, grant: Grant) -> None:
        if grant in self.grants.all():
            self.grants.revoke(grant.grant_id)
            self.revoked.add(grant.grant_id)

    @rule(seconds=st.sampled_from([0.5, 29.0, 60.0]))
    def sleep(self, seconds: float) -> None:
        self.clocks.sleep(seconds)

    @rule(by=st.sampled_from([-DAY, -HOUR, HOUR, DAY]))
    def jump(self, by: int) -> None:
        self.clocks.at += by

    @rule(by=st.sampled_from([0, 0, -DAY, DAY]))
    def restart(self, by: int) -> None:
        anyio.run(self.grants.expire)
        self.clocks.at += by
        self.grants = opened(Path(self.folder.name), self.clocks)
        assert self.grants.diagnostics == ()


Granting.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
test_granting = Granting.TestCase

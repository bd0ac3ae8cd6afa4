"""What is wrong with a grant, with the file of grants, and with the answer to an approval."""

from __future__ import annotations

import os

import pytest

from gatehook import GatehookError
from gatehook.guard.approvals import Approvals
from gatehook.guard.grants import Grants
from gatehook.kinds.errors import ApprovalDenied
from tests.bad_input.table import Table
from tests.guard.asked import KEY
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import order

TABLE = Table()


def grants_of(world):
    clocks = Clocks()
    return Grants.open(world.folder, key=KEY, wall=clocks.wall, monotonic=clocks.monotonic)


def refusal(function):
    with pytest.raises(GatehookError) as caught:
        function()
    return caught.value.diagnostics


# --- grants


def invalid(what, **scope):
    async def give(world):
        grants = grants_of(world)
        fields = {"caller": "*", "lifetime": 60, "given_by": "anna", **scope}
        found = refusal(lambda: grants.grant(**fields))
        assert grants.all() == ()
        return found

    TABLE.add("guard.grant-invalid", what, "", give)


invalid("a float for a worth", max_notional=0.5)
invalid("a worth that is no number", max_daily_notional="NaN")
invalid("a worth below zero", max_notional="-1")
invalid("a side that there is not", sides=["both"])
invalid("a pattern with more than a star", symbols=["EUR[A-Z]"])
invalid("no end", lifetime=float("inf"))
invalid("a field that there is not", symbol=["EURUSD"])


@TABLE.row("guard.grant-unknown", "a grant that was never given", "")
async def never_given(world):
    return refusal(lambda: grants_of(world).revoke("GAAAAAAAA"))


def damaged(what, change):
    async def read(world):
        grants_of(world).grant(caller="*", lifetime=60, given_by="anna", uses=2)
        path = world.folder / "grants.json"
        path.write_bytes(change(path.read_bytes()))
        grants = grants_of(world)
        assert grants.all() == ()
        return grants.diagnostics

    TABLE.add("guard.grants-damaged", what, "path", read)


damaged("a number of uses changed by hand", lambda data: data.replace(b'"uses_left": 2', b'"uses_left": 9'))
damaged("a file cut in the middle", lambda data: data[:50])


@TABLE.row("guard.grants-not-written", "a full disk", "path")
async def full_disk(world):
    grants = grants_of(world)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with world.monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        return refusal(lambda: grants.grant(caller="*", lifetime=60, given_by="anna"))


# --- approvals


class Asked:
    """One approval that waits."""

    def __init__(self, per_minute=1):
        self.clocks = Clocks()
        self.reported = []
        self.approvals = Approvals(
            timeout=60.0,
            per_minute=per_minute,
            monotonic=self.clocks.monotonic,
            wall=self.clocks.wall,
            report=self.reported.append,
        )
        self.approval = self.approvals.request(command(order()), ())

    def refused(self, approval_id=None, digest=None):
        name = self.approval.approval_id if approval_id is None else approval_id
        return refusal(lambda: self.approvals.answer(name, approved=True, person="anna", digest=digest))


@TABLE.row("guard.approval-unknown", "an approval that there is not", "")
async def unknown(world):
    return Asked().refused("AAAAAAAAA")


@TABLE.row("guard.approval-answered", "a second answer", "")
async def twice(world):
    asked = Asked()
    asked.approvals.answer(asked.approval.approval_id, approved=False, person="anna")
    found = asked.refused()
    assert asked.approvals.find(asked.approval.approval_id).state == "rejected"
    return found


@TABLE.row("guard.approval-expired", "an answer a minute late", "")
async def late(world):
    asked = Asked()
    asked.clocks.sleep(60)
    return asked.refused()


@TABLE.row("guard.approval-other-parameters", "an answer to what was shown before", "")
async def other_parameters(world):
    asked = Asked()
    found = asked.refused(digest="before")
    assert asked.approvals.pending() == (asked.approval,)
    return found


@TABLE.row("guard.approval-flood", "more than the minute's budget", "")
async def flood(world):
    asked = Asked()
    with pytest.raises(ApprovalDenied):
        asked.approvals.request(command(order(), command_id="b"), ())
    return asked.reported

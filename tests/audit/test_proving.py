"""The proof over a run: each thing that was sent has one intent and the approval it needed, and nothing else has."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from gatehook import GatehookError
from gatehook.audit import Record
from gatehook.audit import kinds
from gatehook.audit import read
from gatehook.audit.intents import void_of
from gatehook.orders.database import open_writer
from gatehook.orders.digest import content_digest
from gatehook.orders.proving import orphaned_intents
from gatehook.orders.proving import prove

ACCOUNT = "venue/main"
#: Behind what the room's clock says at the beginning.
LATER = 10_000_000


class Run:
    """A journal and an audit, written side by side."""

    def __init__(self, room):
        self.room = room
        self.path = room.path / "journal.sqlite"
        self.db = open_writer(self.path)
        self.log = room.open()

    def order(self, row, *, status="accepted", digest=None, origin="gateway"):
        body = json.dumps({"origin": origin})
        self.db.execute(
            "INSERT OR REPLACE INTO orders (seq, client_order_id, entry_id, account_id, status, digest, body,"
            " market_ns, wall_ns) VALUES (?, ?, 'venue', 'main', ?, ?, ?, 0, 0)",
            (row, f"order-{row}", status, digest or f"digest-{row}", body),
        )

    def command(self, name, *, wall=LATER):
        self.db.execute(
            "INSERT INTO commands (command_id, kind, entry_id, account_id, digest, caller, body, state, market_ns,"
            " wall_ns) VALUES (?, 'amend', 'venue', 'main', ?, 'test', '{}', 'done', 0, ?)",
            (name, f"digest-{name}", wall),
        )

    def intent(self, row, *, permit="default:paper", digest=None):
        subject = {"row": row, "client_order_id": f"order-{row}", "account": ACCOUNT, "permit": permit}
        return self.record(kinds.ORDER_INTENT, {**subject, "digest": digest or f"digest-{row}"})

    def command_intent(self, name, *, permit="reducing"):
        subject = {"command_id": name, "command": "amend", "account": ACCOUNT, "permit": permit}
        return self.record(kinds.COMMAND_INTENT, {**subject, "digest": f"digest-{name}"})

    def record(self, kind, subject):
        record = Record(kind, "test", subject)
        self.log.append([record])
        return record

    def void(self, intent):
        self.log.append([void_of(intent, actor="gatehook", reason="the commit failed")])

    def answer(self, approval, digest, answer="approved"):
        subject = {"approval": approval, "command_id": "c", "digest": digest, "answer": answer}
        self.log.append([Record(kinds.APPROVAL_ANSWERED, "cli:ann", subject)])

    def prove(self):
        return prove(self.path, read(self.room.path))

    def flaws(self):
        return [(str(one.what), one.row) for one in self.prove().findings]

    def orphans(self):
        return [one.seq for one in orphaned_intents(self.db, read(self.room.path))]


@pytest.fixture
def run(room):
    place = Run(room)
    with closing(place.db):
        yield place


def test_a_run_that_is_as_it_should_be(run):
    for row in (1, 2, 3):
        run.intent(row)
        run.order(row)
    run.answer("A1", "digest-4")
    run.intent(4, permit="approval:A1")
    run.order(4, status="unknown")
    run.command_intent("c1")
    run.command("c1")
    found = run.prove()
    assert (found.orders, found.commands, found.approvals, found.findings) == (4, 1, 1, ())
    assert run.orphans() == []


def test_an_order_without_an_intent(run):
    run.intent(1)
    run.order(1)
    run.order(2, status="submitted")
    assert run.flaws() == [("no-intent", 2)]


def test_an_intent_for_other_content_is_none(run):
    run.intent(1)
    run.order(1)
    run.intent(2, digest="other")
    run.order(2)
    assert run.flaws() == [("no-intent", 2), ("no-row", 2)]


def test_two_intents_for_an_order(run):
    run.intent(1)
    run.intent(1)
    run.order(1)
    assert run.flaws() == [("two-intents", 1)]
    assert run.orphans() == [2]


@pytest.mark.parametrize("row", [{"status": "initialized"}, {"status": "denied"}, {"origin": "external"}])
def test_what_the_gateway_did_not_send_needs_no_intent(run, row):
    run.intent(1)
    run.order(1)
    run.order(2, **row)
    assert run.flaws() == []


def test_what_was_denied_on_its_way_may_have_one(run):
    run.intent(1)
    run.order(1, status="denied")
    assert run.flaws() == []
    assert run.orphans() == []


def test_rows_from_before_the_audit_are_not_asked_about(run):
    for row in (1, 2):
        run.order(row)
    run.command("old", wall=1)
    run.intent(3)
    run.order(3)
    found = run.prove()
    assert (found.orders, found.commands, found.findings) == (1, 0, ())


def test_a_command_without_an_intent(run):
    run.command_intent("c1")
    run.command("c1")
    run.command("c2")
    assert run.flaws() == [("no-intent", "c2")]


def test_an_intent_without_a_row(run):
    run.intent(1)
    run.command_intent("c1")
    assert run.flaws() == [("no-row", 1), ("no-row", "c1")]
    assert run.orphans() == [2, 3]


def test_an_order_that_still_waits_was_not_committed(run):
    run.intent(1)
    run.order(1, status="initialized")
    assert run.flaws() == [("no-row", 1)]


def test_an_intent_that_was_voided_counts_no_more(run):
    run.void(run.intent(1))
    run.void(run.command_intent("c1"))
    assert run.flaws() == []
    assert run.orphans() == []


def test_a_row_whose_commit_failed_and_that_was_sent_later(run):
    run.void(run.intent(1))
    run.intent(1)
    run.order(1)
    assert run.flaws() == []


def test_a_row_number_that_another_order_got(run):
    run.intent(1, digest="lost")
    run.intent(1)
    run.order(1)
    [orphan] = orphaned_intents(run.db, read(run.room.path))
    assert orphan.subject["digest"] == "lost"
    run.void(orphan)
    assert run.flaws() == []


def test_a_void_of_a_record_is_of_that_record(run):
    run.intent(1, permit="approval:A1")
    run.answer("A2", "digest-1")
    run.intent(1, permit="approval:A2")
    run.order(1)
    [orphan] = orphaned_intents(run.db, read(run.room.path))
    run.void(orphan)
    assert run.flaws() == []


# --- approvals


def approved(run, row, approval="A1", **options):
    run.intent(row, permit=f"approval:{approval}", **options)
    run.order(row)


def test_an_approval_that_nobody_gave(run):
    approved(run, 1)
    assert run.flaws() == [("no-approval", 1)]


def test_an_approval_that_was_refused(run):
    run.answer("A1", "digest-1", "rejected")
    approved(run, 1)
    assert run.flaws() == [("no-approval", 1)]


def test_an_approval_that_came_later(run):
    approved(run, 1)
    run.answer("A1", "digest-1")
    assert run.flaws() == [("no-approval", 1)]


def test_an_approval_of_something_else(run):
    run.answer("A1", "other")
    approved(run, 1)
    assert run.flaws() == [("no-approval", 1)]


def test_an_approval_given_twice(run):
    run.answer("A1", "digest-1")
    run.answer("A1", "digest-1")
    approved(run, 1)
    assert run.flaws() == [("no-approval", 1)]


def test_an_approval_that_serves_two_orders(run):
    run.answer("A1", "same")
    for row in (1, 2):
        run.intent(row, permit="approval:A1", digest="same")
        run.order(row, digest="same")
    assert run.flaws() == [("approval-reused", 2)]


def test_an_approval_of_a_list_serves_its_orders_and_no_other(run):
    run.answer("A1", content_digest("order_list", ["digest-1", "digest-2"]))
    for row in (1, 2):
        approved(run, row)
    found = run.prove()
    assert (found.approvals, found.findings) == (1, ())
    approved(run, 3)
    assert run.flaws() == [("no-approval", 1), ("approval-reused", 2), ("approval-reused", 3)]


# --- the files


def test_a_journal_that_cannot_be_read(tmp_path):
    with pytest.raises(GatehookError, match=r"journal\.corrupt"):
        prove(tmp_path / "none.sqlite", [])


def test_the_audit_is_read_after_the_journal(run):
    run.intent(1)
    run.order(1)

    def entries():
        run.order(2)  # on its way while the proof is made
        yield from read(run.room.path)

    assert prove(run.path, entries()).findings == ()

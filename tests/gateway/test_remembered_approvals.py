"""Approvals in the memory: the question and its answer, once."""

from __future__ import annotations

import pytest

from gatehook.gateway.remembered_approvals import ApprovalRecorder
from gatehook.kinds.memory import NamespaceSelector

pytestmark = pytest.mark.anyio


async def approvals(host):
    selector = NamespaceSelector(namespace=("trading", "demo", "main"), exact=True)
    found = [stored async for stored in host.memory().scan(selector)]
    return [one for one in found if one.doc.kind == "approval"]


@pytest.mark.parametrize(("method", "answer"), [("approvals.approve", "approved"), ("approvals.reject", "rejected")])
async def test_a_question_and_its_answer_are_remembered_once(trading, method, answer):
    async with trading(mode="demo") as call:
        order = {"side": "buy", "instrument": "XYZ.DEMO", "quantity": "1", "type": "market", "client_order_id": "one"}
        order["account"] = "demo/main"
        await call("orders.place", **order)
        (waiting,) = (await call("approvals.list"))["approvals"]
        await call(method, id=waiting["approval_id"], digest=waiting["digest"])
        for recorder in (ApprovalRecorder(call.host), ApprovalRecorder(call.host)):
            await recorder.catch_up()
            await recorder.catch_up()
            answered, asked = sorted(await approvals(call.host), key=lambda one: one.doc.id)
            assert (asked.revision, answered.revision) == (1, 1)
            assert "XYZ" in asked.doc.text
            assert answer in answered.doc.text
            assert (answered.doc.prev_id, answered.doc.meta["account"]) == (asked.doc.id, "demo/main")

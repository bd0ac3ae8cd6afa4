"""What came of a send, written down: now, or as soon as the disk takes it."""

from __future__ import annotations

import anyio

from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.orders.journal import Journal
from gatehook.orders.machine import with_report
from gatehook.orders.machine import with_status
from gatehook.orders.records import Conclusion
from gatehook.orders.records import Known
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply


class Outcomes:
    """The outcomes of a desk's sends, and those among them that the disk had no room for."""

    def __init__(self, journal: Journal) -> None:
        """Write to a journal."""
        self._journal = journal
        self._unsaved: dict[int, tuple[Known, Conclusion]] = {}

    @property
    def unsaved(self) -> int:
        """How many outcomes wait for the disk."""
        return len(self._unsaved)

    async def conclude(self, known: Known, reply: Reply, *, quiet: bool = False) -> Order:
        """Write what came of a send, and return the order; raise the error where nothing was sent, unless ``quiet``."""
        conclusion = {
            Proof.ANSWERED: Conclusion(report=reply.value),
            Proof.NOTHING_SENT: Conclusion(status=OrderStatus.DENIED, reason=reply.reason),
            Proof.REFUSED: Conclusion(status=OrderStatus.REJECTED, reason=reply.reason),
            Proof.NOTHING: Conclusion(status=OrderStatus.UNKNOWN, reason=reply.reason),
        }[reply.proof]
        order = await self.record(known, conclusion)
        if order.status is OrderStatus.DENIED and reply.error is not None and not quiet:
            raise reply.error
        return order

    async def record(self, known: Known, conclusion: Conclusion) -> Order:
        """Write a conclusion, now or as soon as the disk takes it, and return the order after it."""
        try:
            with anyio.CancelScope(shield=True):
                return (await self._journal.conclude(known.seq, conclusion)).order
        except StorageUnavailable:
            # The order is at the venue whatever the disk does: say what is true, and write it down when there is room.
            self._unsaved[known.seq] = (known, conclusion)
        except (ValueError, TypeError, ArithmeticError) as error:
            if conclusion.report is None:
                raise
            reason = Reason(code="ambiguous", message=f"the provider's answer cannot be used: {error}")
            return await self.record(known, Conclusion(status=OrderStatus.UNKNOWN, reason=reason))
        if conclusion.report is not None:
            return with_report(known.order, conclusion.report, known.traded)
        assert conclusion.status is not None
        return with_status(known.order, conclusion.status, conclusion.reason, known.traded)

    async def save(self) -> None:
        """Write the outcomes that the disk had no room for before.

        Raises:
            StorageUnavailable: when it still has none.
        """
        for seq, (_, conclusion) in list(self._unsaved.items()):
            await self._journal.conclude(seq, conclusion)
            self._unsaved.pop(seq, None)

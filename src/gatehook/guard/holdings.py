"""What an account holds: its last complete report, and the fills that came after it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

_Key = tuple[str, str, str, str]
_Leg = tuple[InstrumentId, str | None]


class Holdings:
    """One account's positions, or its balances where it has no positions. Quantities are in the instrument's unit,
    below zero for what is sold short.

    Attributes:
        known_at: venue time of the last complete report; ``None`` before it.
    """

    def __init__(self) -> None:
        self.known_at: Ns | None = None
        self._mode: PositionMode | None = None
        self._legs: dict[_Leg, Decimal] = {}
        self._balances: dict[str, Decimal] = {}
        self._fills: dict[_Key, Fill] = {}
        #: Fills of the report's very time that came before it: in the report, or just not in it.
        self._perhaps: dict[_Key, Fill] = {}
        #: Those of them that are in it.
        self._included: frozenset[_Key] = frozenset()

    def apply_fill(self, fill: Fill) -> bool:
        """Count a fill that the last report does not hold; say whether it was counted now.

        One of the report's very time is counted if it comes after it.
        """
        if fill.key in self._fills or fill.key in self._perhaps or fill.key in self._included:
            return False
        if self.known_at is not None and fill.ts_event < self.known_at:
            return False
        self._fills[fill.key] = fill
        return True

    def apply_positions(self, report: PositionReport) -> bool:
        """Take a complete report that is not older than the last; say whether it was taken."""
        if self._mode is PositionMode.NONE or not self._is_news(report.complete, report.as_of):
            return False
        legs: dict[_Leg, Decimal] = {}
        for one in report.positions:
            _add(legs, (one.instrument_id, one.position_id), _signed(one.side, one.quantity))
        explained = self._explained(legs, report.as_of)
        self._legs = legs
        self._since(report.as_of, explained)
        return True

    def apply_state(self, state: AccountState) -> bool:
        """Take the account's kind, and where it has no positions its balances; say whether they were taken."""
        if not state.complete:
            return False
        if state.position_mode is not self._mode and PositionMode.NONE in (state.position_mode, self._mode):
            self.known_at = None
        self._mode = state.position_mode
        if self._mode is not PositionMode.NONE or not self._is_news(state.complete, state.ts_event):
            return False
        self._balances = {one.asset: one.total for one in state.balances}
        self._since(state.ts_event, frozenset())
        return True

    def net(self, instrument_id: InstrumentId, *, position_id: str | None = None, asset: str = "") -> Decimal | None:
        """The position, or that of ``position_id``; of a cash account what it has of ``asset``. ``None`` before the
        first complete report.
        """
        if self.known_at is None or (self._mode is PositionMode.NONE and not asset):
            return None
        total = self._balances.get(asset, Decimal(0)) if self._mode is PositionMode.NONE else Decimal(0)
        for (_, leg), quantity in self._of(instrument_id):
            if position_id is None or leg == position_id:
                total = LEDGER.add(total, quantity)
        return total

    def instruments(self) -> frozenset[InstrumentId]:
        """The instruments of the positions, and of the fills since."""
        return frozenset({leg for leg, _ in self._legs} | {fill.instrument_id for fill in self._fills.values()})

    def gross(self, instrument_id: InstrumentId, asset: str) -> tuple[Decimal, Decimal] | None:
        """What is long and what is short, as new orders of that side add to it: hedged legs do not net.

        A fill of the report's very time may be in it or not: it makes a position larger, never smaller.
        """
        net = self.net(instrument_id, asset=asset)
        if net is None:
            return None
        if not self._is_hedged(instrument_id):
            longs = LEDGER.add(net, self._unsure(instrument_id, Side.BUY))
            return longs, LEDGER.subtract(self._unsure(instrument_id, Side.SELL), net)
        longs, shorts = Decimal(0), Decimal(0)
        for _, one in self._of(instrument_id, unsure=Side.BUY):
            longs = LEDGER.add(longs, max(one, Decimal(0)))
        for _, one in self._of(instrument_id, unsure=Side.SELL):
            shorts = LEDGER.subtract(shorts, min(one, Decimal(0)))
        return longs, shorts

    def _unsure(self, instrument_id: InstrumentId, side: Side) -> Decimal:
        """What a side may hold beyond the net: fills of the other side that are counted and may be in the report
        already, and its own that are not counted and may be missing there.
        """
        counted = (one for one in self._fills.values() if one.side is side.opposite and one.ts_event == self.known_at)
        missing = (one for one in self._perhaps.values() if one.side is side)
        total = Decimal(0)
        for one in (*counted, *missing):
            if one.instrument_id == instrument_id:
                total = LEDGER.add(total, one.quantity)
        return total

    def _is_hedged(self, instrument_id: InstrumentId) -> bool:
        """Whether its legs stand beside each other; before the account said so, more than one leg says it."""
        if self._mode is None:
            return sum(1 for instrument, _ in self._legs if instrument == instrument_id) > 1
        return self._mode is PositionMode.HEDGING

    def _of(self, instrument_id: InstrumentId, *, unsure: Side | None = None) -> Iterator[tuple[_Leg, Decimal]]:
        """The legs; with ``unsure``, of the fills that may be in the report or not only those of this side."""
        legs = {leg: quantity for leg, quantity in self._legs.items() if leg[0] == instrument_id}
        fills = [one for one in self._fills.values() if unsure in (None, one.side) or one.ts_event != self.known_at]
        fills += [one for one in self._perhaps.values() if one.side is unsure]
        for fill in fills:
            if fill.instrument_id == instrument_id:
                _add(legs, (instrument_id, fill.position_id), _signed(fill.side, fill.quantity))
        yield from legs.items()

    def _is_news(self, complete: bool, at: Ns) -> bool:
        return complete and (self.known_at is None or at >= self.known_at)

    def _explained(self, legs: dict[_Leg, Decimal], at: Ns) -> frozenset[InstrumentId]:
        """The instruments whose new report is what follows from the last one and every fill since: it holds them all.

        Should it hold another fill of that size in the place of one of them, that one's order still counts as open.
        """
        if self.known_at is None:
            return frozenset()
        fills = [*self._perhaps.values(), *(one for one in self._fills.values() if one.ts_event <= at)]
        expected = dict(self._legs)
        for fill in fills:
            _add(expected, (fill.instrument_id, fill.position_id), _signed(fill.side, fill.quantity))
        traded = {fill.instrument_id for fill in fills}
        return frozenset(one for one in traded if self._of_instrument(expected, one) == self._of_instrument(legs, one))

    def _of_instrument(self, legs: dict[_Leg, Decimal], instrument_id: InstrumentId) -> dict[str | None, Decimal]:
        """The legs of an instrument; together, unless they stand beside each other."""
        apart = self._is_hedged(instrument_id)
        found: dict[str | None, Decimal] = {}
        for (instrument, position_id), quantity in legs.items():
            if instrument == instrument_id:
                name = position_id if apart else None
                found[name] = LEDGER.add(found.get(name, Decimal(0)), quantity)
        return {name: quantity for name, quantity in found.items() if quantity}

    def _since(self, at: Ns, explained: frozenset[InstrumentId]) -> None:
        of_its_time = {key: fill for key, fill in self._fills.items() if fill.ts_event == at}
        if at == self.known_at:
            of_its_time |= self._perhaps
        else:
            self._included = frozenset()
        self._perhaps = {key: one for key, one in of_its_time.items() if one.instrument_id not in explained}
        self._included |= of_its_time.keys() - self._perhaps.keys()
        self._fills = {key: fill for key, fill in self._fills.items() if fill.ts_event > at}
        self.known_at = at


def _signed(side: Side, quantity: Decimal) -> Decimal:
    return quantity if side is Side.BUY else LEDGER.minus(quantity)


def _add(legs: dict[_Leg, Decimal], leg: _Leg, quantity: Decimal) -> None:
    legs[leg] = LEDGER.add(legs.get(leg, Decimal(0)), quantity)

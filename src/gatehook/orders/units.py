"""Quantities in the unit in which an instrument is traded: converted exactly, or refused."""

from __future__ import annotations

from decimal import Decimal
from decimal import Inexact
from typing import Final

import attrs

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from gatehook.kinds.orders import OrderRequest

_PARCELS: Final = frozenset({QuantityUnit.LOTS, QuantityUnit.CONTRACTS})


def in_instrument_unit(request: OrderRequest, instrument: Instrument) -> OrderRequest:
    """Return the order with its quantity in the instrument's unit. One in ``quote`` is left as it is.

    Raises:
        UnitMismatch: lots are not contracts; an instrument without a contract size has neither; a contract that is
            worth a fixed amount of the quote currency has no fixed base; the quotient does not come out even. The
            message names the numbers.
    """
    unit = request.quantity_unit
    if unit in (QuantityUnit.QUOTE, instrument.quantity_unit):
        return request
    if instrument.quantity_unit is QuantityUnit.QUOTE or {unit, instrument.quantity_unit} <= _PARCELS:
        raise _mismatch(request, instrument, "one cannot be made from the other")
    if instrument.quantity_unit is QuantityUnit.BASE and instrument.contract_size == 1:
        raise _mismatch(request, instrument, f"the venue does not say how much one of its {unit} is")
    if instrument.settlement is Settlement.INVERSE:
        raise _mismatch(request, instrument, "the base of an inverse contract depends on the price")
    if unit is QuantityUnit.BASE:
        quantity = _parcels(request, instrument)
    else:
        quantity = LEDGER.multiply(request.quantity, instrument.contract_size)
    return attrs.evolve(request, quantity=quantity, quantity_unit=instrument.quantity_unit)


def _parcels(request: OrderRequest, instrument: Instrument) -> Decimal:
    try:
        return LEDGER.divide(request.quantity, instrument.contract_size)
    except Inexact:
        size = f"one is {plain(instrument.contract_size)} base units"
        raise _mismatch(request, instrument, f"{size}, and that does not come out even") from None


def _mismatch(request: OrderRequest, instrument: Instrument, why: str) -> UnitMismatch:
    return UnitMismatch(
        f"{instrument.id} is traded in {instrument.quantity_unit}, the quantity is {plain(request.quantity)} in"
        f" {request.quantity_unit}: {why}"
    )

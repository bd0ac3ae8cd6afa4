"""What became of a command, in a line, and the exit code that says it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.cli.failures import Exit
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_text

_EXITS: Final = {
    "rejected": Exit.FAILURE,
    "denied": Exit.FAILURE,
    "initialized": Exit.CONSENT,
    "unknown": Exit.UNKNOWN_ORDERS,
    "pending_cancel": Exit.UNKNOWN_ORDERS,
    "pending_update": Exit.UNKNOWN_ORDERS,
}


def end_with_order(shown: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the one order of an answer, and end with the exit code that says what became of it."""
    if as_json:
        write_document(shown)
    else:
        print_order(shown["order"])
    if shown.get("approval"):
        note(f"it waits for a person: gatehook approvals approve {shown['approval']}")
    end_with([shown["order"]])


def end_with(orders: Iterable[Mapping[str, Any]]) -> None:
    """End with the exit code that says what became of some orders, the gravest of them; go on where all is well."""
    codes = [code for order in orders if (code := _EXITS.get(order["status"])) is not None]
    if codes:
        raise SystemExit(max(codes))


def print_order(order: Mapping[str, Any]) -> None:
    """Print an order in a line, and on stderr why it was refused."""
    request, reason = order["request"], order.get("reason")
    write_text(
        f"{request['client_order_id']}: {request['side']} {request['quantity']} {request['quantity_unit']} "
        f"{request['instrument_id']} {request['type']} is {order['status']}, filled {order['filled']}"
        f"{_average(order)}"
    )
    if reason:
        note(f"{reason['code']}: {reason['message']}")


def _average(order: Mapping[str, Any]) -> str:
    from decimal import Decimal

    filled = Decimal(order["filled"])
    return f" at {(Decimal(order['cost']) / filled).normalize():f} on average" if filled else ""

"""``gatehook orders place|list|show|cancel`` and ``gatehook fills list``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import TypeVar
from uuid import uuid4

import click

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.outcomes import end_with_order
from gatehook.cli.outcomes import print_order
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table

Command = TypeVar("Command", bound=Callable[..., Any])

_TYPES: Final = ("market", "limit", "stop", "stop_limit", "trailing_stop")
_IN_FORCE: Final = ("gtc", "ioc", "fok", "gtd", "day")
_UNITS: Final = ("base", "lots", "contracts", "quote")
_TRAILING_UNITS: Final = ("price", "points", "bps")

_PLACE_OPTIONS: Final = (
    click.option("--type", "type", type=click.Choice(_TYPES), default="market", show_default=True),
    click.option("--price", help="The limit."),
    click.option("--trigger", "trigger_price", help="The price that triggers a stop."),
    click.option("--trailing", help="The trailing offset (> 0)."),
    click.option("--trailing-unit", type=click.Choice(_TRAILING_UNITS), default="price", show_default=True),
    click.option("--tif", "time_in_force", type=click.Choice(_IN_FORCE), help="How long it works."),
    click.option("--expire-at", help="RFC 3339, for gtd."),
    click.option("--post-only", is_flag=True, help="Never take."),
    click.option("--reduce-only", is_flag=True, help="Only reduce a position."),
    click.option("--position", "position_id", help="The position (hedging accounts)."),
    click.option("--stop-loss", help="The stop-loss of the position that it opens."),
    click.option("--take-profit", help="The take-profit of the position that it opens."),
    click.option("--unit", type=click.Choice(_UNITS), help="What QTY counts; the instrument's own unit by default."),
    click.option("--account", metavar="ENTRY/ACCOUNT", help="Needed where there are several."),
    click.option("--client-order-id", help="Your id: repeating the command with it places nothing twice."),
    click.option("--tag", "tags", multiple=True, help="A word to find it by; repeatable."),
)


def _place_options(command: Command) -> Command:
    for option in reversed(_PLACE_OPTIONS):
        option(command)
    return command


@click.command()
@click.argument("side", type=click.Choice(("buy", "sell"), case_sensitive=False))
@click.argument("quantity", metavar="QTY")
@click.argument("instrument")
@located
@reading
@_place_options
def place(where: Where, *, as_json: bool, tags: tuple[str, ...], **order: Any) -> None:
    """Place an order: BUY or SELL, how much, of what."""
    wanted = {name: value for name, value in order.items() if value not in (None, False)}
    if "trailing" not in wanted:
        wanted.pop("trailing_unit", None)
    wanted.setdefault("client_order_id", f"cli-{uuid4().hex[:22]}")
    try:
        placed = where.client().call("orders.place", {**wanted, "tags": list(tags)}, timeout=40.0)
    except Exception:
        note(f"the order's id is {wanted['client_order_id']}; repeating with --client-order-id places nothing twice")
        raise
    end_with_order(placed, as_json=as_json)


@click.command("list")
@located
@reading
@click.option("--all", "everything", is_flag=True, help="Also those at their end.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
def list_orders(where: Where, *, as_json: bool, everything: bool, limit: int) -> None:
    """List orders, newest first."""
    listed = _ask(where, "orders.list", {"all": everything, "limit": limit})
    if as_json:
        write_document(listed)
        return
    empty = "No orders." if everything else "No open orders; --all lists the others too."
    write_orders(listed["orders"], empty=empty)


def write_orders(orders: Iterable[Mapping[str, Any]], *, empty: str) -> None:
    """Print orders as a table."""
    columns = ("id", "account", "side", "quantity", "instrument", "type", "price", "status", "filled")
    write_table(columns, [_order_row(order) for order in orders], empty=empty)


def _order_row(order: Mapping[str, Any]) -> tuple[object, ...]:
    request = order["request"]
    return (
        request["client_order_id"],
        f"{request['account']['entry_id']}/{request['account']['account_id']}",
        request["side"],
        f"{request['quantity']} {request['quantity_unit']}",
        request["instrument_id"],
        request["type"],
        request.get("price") or request.get("trigger_price") or "",
        order["status"],
        order["filled"],
    )


@click.command()
@click.argument("order_id", metavar="ID")
@located
@reading
def show(order_id: str, where: Where, *, as_json: bool) -> None:
    """Show one order with its fills."""
    shown = _ask(where, "orders.show", {"id": order_id})
    _print_shown(shown, as_json=as_json)
    if not as_json:
        _print_fills(shown["fills"])


@click.command()
@click.argument("order_id", metavar="ID")
@located
@reading
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be canceled.")
def cancel(order_id: str, where: Where, *, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Cancel what is left of an order."""
    client = where.client()
    if dry_run:
        _print_shown(client.call("orders.show", {"id": order_id}), as_json=as_json)
        note("nothing was canceled (--dry-run)")
        return
    confirmed(f"Cancel the order {order_id}", yes=yes)
    canceled = client.call("orders.cancel", {"id": order_id, "command_id": f"cli-{uuid4().hex[:22]}"}, timeout=40.0)
    end_with_order(canceled, as_json=as_json)


@click.command()
@located
@reading
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
def fills(where: Where, *, as_json: bool, limit: int) -> None:
    """List fills, newest first."""
    listed = _ask(where, "fills.list", {"limit": limit})
    if as_json:
        write_document(listed)
        return
    _print_fills(listed["fills"])


def _ask(where: Where, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask the running gateway; without one, read the journal."""
    from gatehook.cli.offline import read_journal

    client = where.client()
    if client.is_running():
        answer: Mapping[str, Any] = client.call(method, params)
        return answer
    note("no gateway is running: this is what its journal says")
    return read_journal(client.data_dir, method, params)


def _print_shown(shown: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_document(shown)
    else:
        print_order(shown["order"])


def _print_fills(fills_: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (
            fill["ts_event"],
            fill["trade_id"],
            fill.get("client_order_id") or fill["venue_order_id"],
            fill["side"],
            f"{fill['quantity']} {fill['quantity_unit']}",
            fill["instrument_id"],
            fill["price"],
        )
        for fill in fills_
    ]
    write_table(("time", "trade", "order", "side", "quantity", "instrument", "price"), rows, empty="No fills.")

"""``gatehook quote`` and ``gatehook instruments``."""

from __future__ import annotations

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text


@click.command()
@click.argument("instrument")
@located
@reading
def quote(instrument: str, where: Where, *, as_json: bool) -> None:
    """Print the newest quote of an instrument."""
    quoted = where.client().call("market.quote", {"instrument": instrument})
    if as_json:
        write_document(quoted)
        return
    tick = quoted["quote"]
    label = f"  {quoted['label']}" if quoted["label"] != "live" else ""
    prices = f"bid {tick['bid']}  ask {tick['ask']}" if tick["kind"] == "quote" else f"traded at {tick['price']}"
    write_text(f"{tick['instrument_id']}  {prices}  {tick['ts_event']}{label}")


@click.command()
@click.argument("query", required=False)
@located
@reading
def instruments(query: str | None, where: Where, *, as_json: bool) -> None:
    """List what can be traded."""
    listed = where.client().call("market.instruments", {"query": query} if query else {})
    if as_json:
        write_document(listed)
        return
    rows = [
        (
            one["id"],
            f"{one['base']}/{one['quote']}",
            one["price_increment"],
            one["size_increment"],
            one["quantity_unit"],
            one["status"],
            one["label"],
        )
        for one in listed["instruments"]
    ]
    columns = ("instrument", "pair", "price step", "size step", "unit", "status", "prices")
    write_table(columns, rows, empty="No instrument; `gatehook status` shows the price sources.")

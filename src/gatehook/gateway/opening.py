"""The lines with which a gateway opens: what runs, on what, with whose money."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gatehook.catalog.slots import SLOTS
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.prices import Prices
from gatehook.host import PluginHost


async def opening_lines(host: PluginHost, brokers: Brokers, prices: Prices) -> list[str]:
    """Return the opening lines, in the operator's order, without the ``ready`` line."""
    config = host.config
    unknown = host.desk.unknown_orders()
    return [
        f"mode: {config.gateway.mode}",
        f"configuration: {', '.join(str(layer) for layer in config.layers)}",
        f"data directory: {config.gateway.data_dir} (pid {os.getpid()})",
        *await _accounts(brokers),
        *_price_sources(prices),
        *_slots(host),
        "halt: not halted",
        f"unknown orders: {len(unknown)}{_names(order.request.client_order_id for order in unknown)}",
        *await _reconciliation(brokers),
        "limits: no limits",
    ]


async def _accounts(brokers: Brokers) -> list[str]:
    refs, problems = await brokers.accounts()
    lines = [f"account: {ref.account}, {ref.mode} (proven by {ref.account.entry_id}), {ref.venue}" for ref in refs]
    return [*lines, *(f"account: not known: {problem}" for problem in problems)] or ["account: none"]


def _price_sources(prices: Prices) -> list[str]:
    return [f"prices: {source.entry_id}, {source.label}" for source in prices.sources()] or ["prices: none"]


def _slots(host: PluginHost) -> list[str]:
    return [f"{slot}: {host.slot(slot) or 'none'}" for slot in SLOTS]


async def _reconciliation(brokers: Brokers) -> list[str]:
    orders = await brokers.orders(open_only=True, limit=10_000)
    reports, problems = await brokers.positions()
    positions = sum(len(report.positions) for report in reports)
    incomplete = [str(report.account) for report in reports if not report.complete]
    line = f"reconciliation: {len(orders)} open orders, {positions} positions"
    if incomplete or problems:
        line += f", NOT complete for {', '.join([*incomplete, *problems])}"
    return [line]


def _names(ids: Iterable[str]) -> str:
    listed = list(ids)
    return f" ({', '.join(listed[:10])}{', …' if len(listed) > 10 else ''})" if listed else ""  # noqa: PLR2004  a line's worth

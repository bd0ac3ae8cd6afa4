"""A broker whose trading methods fail unless another connection sees the desk's intent on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

TRADING = (
    "submit_order",
    "submit_order_list",
    "cancel_order",
    "amend_order",
    "cancel_all",
    "close_position",
    "modify_position",
)


class IntentMissing(AssertionError):
    """A trading method was called without an intent in the journal."""


def spied(broker: Any, journal: Path) -> Any:
    """Wrap the trading methods of ``broker`` in place, and return it."""
    for name in TRADING:
        setattr(broker, name, _watched(name, getattr(broker, name), journal))
    return broker


def _watched(name: str, method: Callable[..., Any], journal: Path) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        for client_order_id in _ids(name, args, kwargs):
            if not has_intent(journal, client_order_id):
                raise IntentMissing(f"{name} was called for {client_order_id} without an intent on disk")
        return await method(*args, **kwargs)

    return call


def _ids(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    if name == "submit_order":
        return [args[0].client_order_id]
    if name == "submit_order_list":
        return [one.client_order_id for one in args[0].orders]
    return [kwargs["command_id"]]


def has_intent(journal: Path, identity: str) -> bool:
    """Whether an order or a command with this id is committed."""
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return any(
            db.execute(query, (identity,)).fetchone()
            for query in (
                "SELECT 1 FROM orders WHERE client_order_id = ? AND status = 'submitted'",
                "SELECT 1 FROM commands WHERE command_id = ? AND state = 'sent'",
            )
        )

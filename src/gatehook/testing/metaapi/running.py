"""A stand-in as a process: what the command line asks for, served until the process ends."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import attrs

from gatehook.testing.metaapi.control import Control
from gatehook.testing.metaapi.settings import AccountSettings
from gatehook.testing.metaapi.texts import write
from gatehook.testing.metaapi.venue import MetaApiVenue


@attrs.frozen
class Plan:
    """What is run; without a ``control_port`` there are no controls."""

    mode: Any
    port: int
    control_port: int | None
    token: str | None
    accounts: tuple[AccountSettings, ...]
    seed: int
    drifting: bool


def accounts_of(text: str) -> tuple[AccountSettings, ...]:
    """Read accounts: ``ID`` or ``ID:netting``, separated by commas.

    Raises:
        ValueError: for anything else, and for an id that stands twice.
    """
    accounts: dict[str, AccountSettings] = {}
    for number, word in enumerate(text.split(",")):
        name, _, kind = word.strip().partition(":")
        if not name or kind not in ("", "netting", "hedging"):
            raise ValueError(f"{word.strip()!r} is no account; write ID, ID:hedging or ID:netting")
        if name in accounts:
            raise ValueError(f"{name} stands twice")
        accounts[name] = AccountSettings(id=name, login=str(5_000_001 + number), netting=kind == "netting")
    return tuple(accounts.values())


async def run(plan: Plan, say: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM; ``say`` gets a line of JSON with the URLs once connections are taken.

    Raises:
        OSError: for a port that is taken.
    """
    venue = MetaApiVenue(
        mode=plan.mode,
        port=plan.port,
        token=plan.token,
        accounts=plan.accounts,
        seed=plan.seed,
        drifting=plan.drifting,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(venue)
        urls = {"url": venue.url, "mode": venue.mode, "accounts": [one.id for one in plan.accounts]}
        if plan.control_port is not None:
            control = await stack.enter_async_context(Control(venue, plan.control_port))
            urls["control"] = control.url
        # A shell lets what it runs in the background ignore SIGINT: a receiver hears it all the same.
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            say(write(urls))
            async for _ in signals:
                return

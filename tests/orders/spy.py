"""A broker whose trading methods fail unless another connection sees the desk's intent on disk.

``spied`` makes one broker so. ``Spy`` makes every broker so that any desk gets, for all tests: ``tests/conftest.py``
installs it. A test that hands a provider its commands itself goes round the desk on purpose, and is let through;
product code that did so is not.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from gatehook.kinds.errors import StorageUnavailable
from gatehook.orders import Desk
from gatehook.orders.entry import Entry
from gatehook.orders.writer import Writer

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


#: The journal of the desk whose send is under way, in that send's task and those it starts.
_SENDING: ContextVar[Path | None] = ContextVar("_SENDING", default=None)

#: Whether the disk has refused this task: cancels leave all the same, and nothing else does.
_NO_ROOM: ContextVar[bool] = ContextVar("_NO_ROOM", default=False)
_WITHOUT_ROOM = frozenset({"cancel_order", "cancel_all"})


class Spy:
    """Watches every provider that any desk of this process gets."""

    def __init__(self) -> None:
        self._journals: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()
        self.violations: list[str] = []
        #: How many commands were seen with their intent on disk.
        self.seen = 0
        #: Lets everything through: for tests that seed a defect into a desk and hold another check to finding it.
        self.blind = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Watch from now on, until ``patch`` is undone."""
        attach, sending, write = Desk.attach, Entry.sending, Writer.write
        spy = self

        async def attach_watched(desk: Desk, access: Any, *args: Any, **kwargs: Any) -> Any:
            spy._journals[access] = desk.journal.path
            spy._watch(access.provider)
            return await attach(desk, access, *args, **kwargs)

        @contextmanager
        def sending_watched(entry: Entry, *args: Any, **kwargs: Any) -> Iterator[Any]:
            spy._watch(entry.access.provider)  # again: a test may have put its own method there since
            token = _SENDING.set(spy._journals.get(entry.access))
            try:
                with sending(entry, *args, **kwargs) as value:
                    yield value
            finally:
                _SENDING.reset(token)

        async def write_watched(writer: Writer, *args: Any, **kwargs: Any) -> Any:
            try:
                return await write(writer, *args, **kwargs)
            except StorageUnavailable:
                _NO_ROOM.set(True)
                raise

        patch.setattr(Writer, "write", write_watched)
        patch.setattr(Desk, "attach", attach_watched)
        patch.setattr(Entry, "sending", sending_watched)

    def _watch(self, provider: Any) -> None:
        for name in TRADING:
            current = vars(provider).get(name)
            if not isinstance(current, _Watched):
                setattr(provider, name, _Watched(self, provider, name, current))

    def judge(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], asker: str) -> None:
        """Note a command without intent, and let nothing of it through.

        Raises:
            IntentMissing: naming it.
        """
        journal = _SENDING.get()
        if journal is not None:
            needed = () if name in _WITHOUT_ROOM and _NO_ROOM.get() else _ids(name, args, kwargs)
            missing = [one for one in needed if not has_intent(journal, one)]
            problem = f"{name} was called for {', '.join(missing)} without an intent on disk" if missing else ""
        else:
            is_ours = asker.startswith("gatehook.") and not asker.startswith("gatehook.testing.")
            problem = f"{asker} called {name} and is no send of the desk" if is_ours else ""
        if problem and not self.blind:
            self.violations.append(problem)
            raise IntentMissing(problem)
        self.seen += journal is not None


class _Watched:
    """One trading method of one provider; what the provider's class or a test put there is called in the end."""

    def __init__(self, spy: Spy, provider: Any, name: str, own: Callable[..., Any] | None) -> None:
        self._spy = spy
        self._provider = provider
        self._name = name
        self._own = own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._spy.judge(self._name, args, kwargs, sys._getframe(1).f_globals.get("__name__", ""))
        method = self._own or getattr(type(self._provider), self._name).__get__(self._provider)
        return method(*args, **kwargs)

"""The task group that an entry's code holds: what ends a program ends only the entry."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Coroutine
from functools import wraps
from typing import Any
from typing import cast

from anyio.abc import TaskGroup


class EntryTasks:
    """A task group whose tasks cannot end the event loop: asyncio lets ``SystemExit`` of any task out of it."""

    def __init__(self, group: TaskGroup) -> None:
        self._group = group

    @classmethod
    def around(cls, group: TaskGroup) -> TaskGroup:
        """Return a group to be used in another's place."""
        return cast("TaskGroup", cls(group))

    def start_soon(self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any, name: object = None) -> Any:
        """Start a task; see anyio."""
        return self._group.start_soon(_contained(func), *args, name=name)

    async def start(self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any, name: object = None) -> Any:
        """Start a task and wait until it says that it has started; see anyio."""
        return await self._group.start(_contained(func), *args, name=name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._group, name)


def _contained(func: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(func)
    async def run(*args: Any, **options: Any) -> Any:
        try:
            return await func(*args, **options)
        except SystemExit as error:
            raise RuntimeError(f"a task ended with SystemExit: {error}") from error

    return run

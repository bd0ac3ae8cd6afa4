"""Awaiting code that may ignore its cancellation, as far as that is possible in process."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Generator
from typing import Any
from typing import Final
from typing import Generic
from typing import TypeVar

import anyio

T = TypeVar("T")

#: So often an awaited step may swallow a cancellation before it is left where it is.
PATIENCE: Final = 50


class Abandonable(Generic[T]):
    """Awaits something. When it has swallowed its cancellation ``PATIENCE`` times it is closed, and the cancellation
    goes on without it.
    """

    def __init__(self, awaitable: Awaitable[T]) -> None:
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, T]:
        steps: Any = self._awaitable.__await__()
        swallowed = 0
        try:
            asked = next(steps)
            while True:
                answer, error = yield from _ask(asked, steps)
                if error is None:
                    asked = steps.send(answer)
                    continue
                swallowed += 1
                if swallowed > PATIENCE:
                    _close(steps)
                    raise error
                # asyncio throws, trio sends an outcome; either way the step gets what its event loop gave
                asked = steps.throw(error) if answer is None else steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result


def _ask(asked: Any, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, tuple[Any, BaseException | None]]:
    """Put a step's question to the event loop; return its answer, and the cancellation in it."""
    try:
        answer = yield asked
    except GeneratorExit:
        steps.close()
        raise
    except BaseException as error:  # noqa: BLE001  handed on into what is awaited
        return None, error
    sent = getattr(answer, "error", None)
    return answer, sent if isinstance(sent, anyio.get_cancelled_exc_class()) else None


def _close(steps: Generator[Any, Any, Any]) -> None:
    try:
        steps.close()
    except RuntimeError:  # it ignores even that; it is never run again
        return

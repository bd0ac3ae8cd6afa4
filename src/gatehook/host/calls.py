"""Calling a plugin's code: whatever it raises becomes an outcome, but for the end of the program and of the task."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TypeVar

import anyio

from gatehook.runtimes import Implementation

T = TypeVar("T")


def is_ours(error: BaseException) -> bool:
    """Say whether an exception from a plugin's code must go on up: Ctrl-C, and a cancellation that was asked for."""
    if isinstance(error, KeyboardInterrupt):
        return True
    if isinstance(error, BaseExceptionGroup):
        return any(is_ours(one) for one in error.exceptions)
    return isinstance(error, anyio.get_cancelled_exc_class()) and _was_asked_for(error)


def _was_asked_for(error: BaseException) -> bool:
    """Say whether somebody cancelled this task, by a scope or by asyncio's own means; trio's exception proves it."""
    if not isinstance(error, asyncio.CancelledError) or anyio.current_effective_deadline() == -math.inf:
        return True
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def call_hook(plugin_id: str, implementation: Implementation, call: Callable[[], T]) -> T:
    """Call a hook, and note on what it raises which plugin, hook and file it was."""
    try:
        return call()
    except BaseException as error:
        error.add_note(
            f"in the hook {implementation.hook} of the plugin {plugin_id}, {implementation.path}:{implementation.line}"
        )
        raise


def describe(error: BaseException) -> str:
    """Return an error's type and text on one line, the leaves of a group one after the other."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(describe(one) for one in error.exceptions))
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

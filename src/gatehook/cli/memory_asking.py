"""Asking the memory: the running gateway, or, without one, the memory opened alone in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import attrs

from gatehook.cli.failures import RemoteFailure
from gatehook.cli.options import Where
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import cli as codes

if TYPE_CHECKING:
    from gatehook.config import Config

#: What takes an item of long work: progress, lines.
Took = Callable[[Mapping[str, Any]], object]


def ask(where: Where, method: str, params: Mapping[str, Any], *, timeout: float = 35.0) -> Mapping[str, Any]:
    """Ask what is answered at once.

    Raises:
        GatehookError: when the slot is empty or does not start, and for what the memory refuses.
        RemoteFailure: the same, from the running gateway.
    """
    client = where.client()
    if client.is_running():
        answer: Mapping[str, Any] = client.call(method, params, timeout=timeout)
        return answer
    return _alone(where, method, params, _nobody, ())


def work(
    where: Where, method: str, params: Mapping[str, Any], took: Took, *, entries: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """Let the memory do long work; every item of it goes to ``took``, the result is returned.

    Without a gateway, the first of ``entries`` fills the slot, and the others can be started too.

    Raises:
        GatehookError: when the slot is empty or does not start, and for what the memory refuses.
        RemoteFailure: the same, from the running gateway.
    """
    client = where.client()
    if not client.is_running():
        return _alone(where, method, params, took, entries)
    result: Mapping[str, Any] | None = None
    for item in client.stream(method, params):
        result = item.get("result", result)
        took(item)
    if result is None:
        raise GatehookError(codes.NO_ANSWER(data_dir=client.data_dir, method=method, why="it stopped on the way"))
    return result


def _nobody(item: Mapping[str, Any]) -> None:
    """What is answered at once has no items."""


def _alone(
    where: Where, method: str, params: Mapping[str, Any], took: Took, entries: tuple[str, ...]
) -> Mapping[str, Any]:
    import anyio

    from gatehook.gateway.answers import describe_error
    from gatehook.kinds.errors import ProviderError

    try:
        return anyio.run(_ask_alone, _config_of_memory(where, entries), method, params, took)
    except ProviderError as error:
        raise RemoteFailure(describe_error(error)) from error


def _config_of_memory(where: Where, entries: tuple[str, ...]) -> Config:
    """Return a configuration in which nothing runs but what is asked, and what that uses."""
    from gatehook.catalog.plan import make_plan

    sets = (*where.sets, f"plugins.slots.memory={json.dumps(entries[0])}") if entries else where.sets
    plan = make_plan(attrs.evolve(where, sets=sets).load())
    needed = {*entries, *(one.winner for one in plan.slots)}
    needed |= {use.entry for entry in plan.entries if entry.entry_id in needed for use in entry.uses}
    others = [entry.entry_id for entry in plan.entries if entry.entry_id not in needed]
    off = [f"plugins.entries.{entry_id}.enabled=false" for entry_id in others]
    return attrs.evolve(where, sets=(*sets, *off)).load()


async def _ask_alone(config: Config, method: str, params: Mapping[str, Any], took: Took) -> Mapping[str, Any]:
    from contextlib import aclosing

    import anyio
    import anyio.to_thread

    from gatehook.gateway.indexing.indexer import Indexer
    from gatehook.gateway.indexing.known_secrets import learn_secrets
    from gatehook.gateway.methods.method import Method
    from gatehook.gateway.methods.table import memory_methods
    from gatehook.gateway.params import Params
    from gatehook.gateway.recorder import Recorder
    from gatehook.host import PluginHost

    result: Mapping[str, Any] = {}
    failure: Exception | None = None
    asked = Params(method, params)
    async with PluginHost.from_config(config) as host:
        recorder = Recorder(host.desk.journal, host.bus, lambda: None, config.gateway.data_dir, host.report)
        indexer = Indexer(host)
        found = memory_methods(host, recorder, indexer)[method]
        if isinstance(found, Method):
            answer: Mapping[str, Any] = await found.call(asked)
            return answer
        await anyio.to_thread.run_sync(learn_secrets, config, host.redactor)
        items: Any = found.items(asked)
        async with anyio.create_task_group() as tasks, aclosing(items):
            tasks.start_soon(indexer.answer)
            try:
                async for item in items:
                    result = item.get("result", result)
                    took(item)
            except Exception as error:  # noqa: BLE001  raised below, where no task group puts it into a group
                failure = error
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return result

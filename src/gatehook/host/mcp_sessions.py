"""Which session an entry gets, and everything it is told: where its server is, and what the configuration gives it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from urllib.parse import quote
from urllib.parse import urlsplit

import anyio.to_thread
import attrs

from gatehook.catalog.entries import transport_of
from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.tree import TreeRefused
from gatehook.catalog.tree import hash_tree
from gatehook.config.passing import CannotPass
from gatehook.config.passing import Passed
from gatehook.config.passing import passed_on
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.diagnostics.codes import plugins as plugin_codes
from gatehook.host.pinning import NeedsPerson
from gatehook.host.pinning import Pinning
from gatehook.host.tool_pins import ToolPins
from gatehook.runtimes.child_records import CHILDREN
from gatehook.runtimes.child_records import ChildRecords
from gatehook.secrets import Secret
from gatehook.secrets import SecretUnavailable

if TYPE_CHECKING:
    from gatehook.config.model import SupervisionSection
    from gatehook.host.context import EntryContext
    from gatehook.host.entry import EntrySpec
    from gatehook.host.services import Services
    from gatehook.host.sessions import EntrySession
    from gatehook.runtimes.mcp import McpSpec
    from gatehook.runtimes.mcp.auth import McpAuth

#: A Python server must not leave bytecode in the tree that was consented to.
_NO_BYTECODE: Final = {"PYTHONDONTWRITEBYTECODE": "1"}
#: The part of the stop deadline that a server gets to end by itself, and again after SIGTERM.
_GRACE: Final = 0.2


async def session_of(
    spec: EntrySpec, context: EntryContext, services: Services, told: Callable[[str], None]
) -> EntrySession | None:
    """Return the session of an entry, not opened yet; ``None`` where its plugin is no MCP server.

    Raises:
        NeedsPerson: a value of the configuration cannot go where the schema sends it, or the files are not those that
            were consented to.
    """
    entry = spec.manifest.entry
    if not isinstance(entry, ExternalMcp):
        if spec.config.auth is not None:
            reason = "auth is for MCP servers, and its plugin is none"
            raise NeedsPerson(codes.NOT_PASSED(plugin=spec.plugin_id, entry=spec.entry_id, reason=reason))
        return None
    try:
        target = target_of(spec, context.config, services.directory.path, services.settings)
        target = attrs.evolve(target, auth=await _auth_of(spec, services))
    except (CannotPass, SecretUnavailable, KeyError, ValueError) as error:
        raise not_passed(spec, error) from None
    pinning = Pinning(ToolPins(services.directory.path), spec, _named(entry, target), services.reports)
    await verify(spec)
    if entry.needs_sdk:
        return _sdk_session(spec, context, services, told, pinning, target)
    return _wire_session(spec, context, services, told, pinning, target)


async def _auth_of(spec: EntrySpec, services: Services) -> McpAuth | None:
    auth, limit = spec.config.auth, services.settings.start_timeout
    if auth is None:
        return None
    if isinstance(spec.manifest.entry, ExternalMcp) and spec.manifest.entry.url is None:
        raise CannotPass("auth is for a server at an address, and this one is a command")
    from gatehook.host.mcp_auth import auth_of

    return await auth_of(auth, spec.entry_id, services.directory.path, services.redactor, limit=limit)


def _named(entry: ExternalMcp, target: McpSpec) -> str:
    return " ".join(entry.command) if entry.command is not None else target.shown.partition("?")[0]


async def verify(spec: EntrySpec) -> None:
    """Check that a command's files are those that were consented to; a server reads them when it starts.

    Raises:
        NeedsPerson: they are not.
    """
    entry, tree = spec.manifest.entry, spec.tree
    if tree is None or not isinstance(entry, ExternalMcp) or entry.command is None:
        return
    try:
        found = await anyio.to_thread.run_sync(hash_tree, tree.root)
    except TreeRefused as refused:
        raise NeedsPerson(plugin_codes.FILE_CHANGED(plugin=spec.plugin_id, path=refused.path)) from None
    if found.digest != tree.digest:
        changed = sorted(path for path in {*found.files, *tree.files} if found.files.get(path) != tree.files.get(path))
        path = tree.root / changed[0] if changed else tree.root
        raise NeedsPerson(plugin_codes.FILE_CHANGED(plugin=spec.plugin_id, path=path))


def not_passed(spec: EntrySpec, error: Exception) -> NeedsPerson:
    """Return why an entry's configuration cannot go where it is sent."""
    known = isinstance(error, CannotPass | SecretUnavailable)
    reason = str(error) if known else f"{type(error).__name__}: {error}"
    return NeedsPerson(codes.NOT_PASSED(plugin=spec.plugin_id, entry=spec.entry_id, reason=reason))


def target_of(spec: EntrySpec, config: Mapping[str, Any], data_dir: Path, settings: SupervisionSection) -> McpSpec:
    """Return where an entry's server is, and everything that the resolved configuration gives it.

    Raises:
        CannotPass, KeyError, ValueError: a value cannot go where the schema sends it.
    """
    from gatehook.runtimes.mcp import McpSpec

    entry = spec.manifest.entry
    assert isinstance(entry, ExternalMcp), "only such an entry has a server"
    passed = passed_on(spec.manifest.config_schema, config)
    made = McpSpec.of(_moved(entry, spec.config.url), config, spec.root or data_dir)
    hosts = () if spec.config.url is None else ((urlsplit(spec.config.url).hostname or "").lower(),)
    limits = attrs.evolve(
        made.limits, start_timeout=settings.start_timeout, grace=min(made.limits.grace, settings.stop_timeout * _GRACE)
    )
    return attrs.evolve(
        made,
        url=_with_query(made.url, passed) if made.url else "",
        headers=_revealed(passed.headers),
        environment={**_NO_BYTECODE, **_revealed(passed.environment)},
        named_hosts=frozenset(hosts),
        limits=limits,
    )


def _moved(entry: ExternalMcp, url: str | None) -> ExternalMcp:
    """Return the entry with the address of the configuration; another path may mean another transport."""
    if url is None or entry.url is None:
        return entry
    parts = urlsplit(url)
    transport = entry.transport if parts.path == urlsplit(entry.url).path else transport_of(parts)
    return attrs.evolve(entry, url=url, transport=transport)


def _with_query(url: str, passed: Passed) -> str:
    query = "&".join(f"{quote(name, safe='')}={quote(one.reveal(), safe=',')}" for name, one in passed.query.items())
    return url if not query else f"{url}{'&' if '?' in url else '?'}{query}"


def _revealed(values: Mapping[str, Secret]) -> dict[str, str]:
    return {name: one.reveal() for name, one in values.items()}


def _sdk_session(
    spec: EntrySpec,
    context: EntryContext,
    services: Services,
    told: Callable[[str], None],
    pinning: Pinning,
    target: McpSpec,
) -> EntrySession:
    from gatehook.host.sdk_session import SdkSession
    from gatehook.runtimes.mcp import McpSession

    make = partial(
        McpSession,
        target,
        entry_id=spec.entry_id,
        logger=context.logger,
        redact=services.redactor.redact,
        data_dir=services.directory.path,
    )
    return SdkSession(spec, pinning, told, make)


def _wire_session(
    spec: EntrySpec,
    context: EntryContext,
    services: Services,
    told: Callable[[str], None],
    pinning: Pinning,
    target: McpSpec,
) -> EntrySession:
    from gatehook.host.wire_session import WireSession
    from gatehook.runtimes.children import ChildSpec
    from gatehook.runtimes.children import child_environment
    from gatehook.runtimes.wired import WireProcess

    make = partial(
        WireProcess,
        ChildSpec(command=target.command, environment=child_environment(target.environment), cwd=target.root),
        context,
        redact=services.redactor.redact,
        records=ChildRecords(services.directory.path / CHILDREN),
        prepare=partial(verify, spec),
        limits=target.limits,
    )
    return WireSession(spec, pinning, told, make)

"""What a ``plugin.json`` says, as a value.

manifest, diagnostics = parse_manifest(path.read_bytes(), path)
if manifest is None:
for one in diagnostics:
print(one.place, one.message, one.remedy)
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from typing import Final

import attrs

from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.capabilities import ChannelCapabilities
from gatehook.kinds.capabilities import FeedCapabilities
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.capabilities import MarketplaceCapabilities
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.capabilities import NotifierCapabilities
from gatehook.kinds.kind import Kind

MANIFEST_NAME: Final = "plugin.json"
MANIFEST_VERSION: Final = 1
#: A larger file is refused before it is read.
LARGEST_MANIFEST: Final = 256 * 1024
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Isolation(StrEnum):
    """Where a Python module runs. A manifest may only strengthen what configuration and trust decide."""

    NONE = "none"
    PROCESS = "process"


class Transport(StrEnum):
    """How an MCP server is spoken to."""

    SSE = "sse"
    STREAMABLE_HTTP = "streamable-http"
    STDIO = "stdio"


@attrs.frozen
class PythonModule:
    """``python.module``: a Python file below the plugin's directory. ``isolation`` is ``None`` when it is not said."""

    module: str
    isolation: Isolation | None = None

    @property
    def runtime(self) -> str:
        """The runtime that it needs."""
        return "python.module (process)" if self.isolation is Isolation.PROCESS else "python.module"

    @property
    def files(self) -> Mapping[str, str]:
        """The files it names, by the manifest key that names them."""
        return {"module": self.module}


@attrs.frozen
class NodeModule:
    """``node.module``: a JavaScript file below the plugin's directory."""

    module: str

    @property
    def runtime(self) -> str:
        """The runtime that it needs."""
        return "node.module"

    @property
    def files(self) -> Mapping[str, str]:
        """The files it names, by the manifest key that names them."""
        return {"module": self.module}


@attrs.frozen(kw_only=True)
class ExternalMcp:
    """``external.mcp``: an MCP server at ``url``, or started by ``command`` (stdio); the other one is ``None``."""

    url: str | None = None
    transport: Transport
    command: tuple[str, ...] | None = None
    adapter: str | None = None

    @property
    def runtime(self) -> str:
        """The runtime that it needs."""
        return "external.mcp"

    @property
    def files(self) -> Mapping[str, str]:
        """The files it names, by the manifest key that names them."""
        return {} if self.adapter is None else {"adapter": self.adapter}

    @property
    def speaks_wire(self) -> bool:
        """Whether the server itself speaks the kinds: nothing of the plugin's runs in the gateway then."""
        return self.adapter is None

    @property
    def needs_sdk(self) -> bool:
        """Whether its session is the MCP SDK's; the wire on stdio does without."""
        return self.command is None or self.adapter is not None


Entry = PythonModule | NodeModule | ExternalMcp


@attrs.frozen(kw_only=True)
class Requires:
    """What has to be there.

    Attributes:
        api: a PEP 440 range of the plugin API with floor and ceiling, or ``None``.
        packages: PEP 508 requirements on installed Python distributions.
        plugins: plugin id to a PEP 440 range; an empty one takes any version.
    """

    api: str | None = None
    packages: tuple[str, ...] = ()
    plugins: Mapping[str, str] = NOTHING


@attrs.frozen(kw_only=True)
class Permissions:
    """What the plugin asks for; a closed vocabulary without wildcards.

    Attributes:
        network: hosts, each with an optional ``:port``.
        read_files: paths it reads outside its own data directory.
        write_files: paths it writes there.
        environment: environment variables it reads.
        processes: programs it starts.
        trading: whether it sends orders through other entries' brokers.
        wrap: kinds whose providers it wraps; never ``connector.broker``.
    """

    network: tuple[str, ...] = ()
    read_files: tuple[str, ...] = ()
    write_files: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    trading: bool = False
    wrap: tuple[Kind, ...] = ()

    def listed(self) -> tuple[str, ...]:
        """Return each as one word: ``network:api.example.com``, ``trading``, ``wrap:memory.backend``."""
        return tuple(self._words())

    def _words(self) -> Iterator[str]:
        for word, values in (
            ("network", self.network),
            ("files.read", self.read_files),
            ("files.write", self.write_files),
            ("environment", self.environment),
            ("processes", self.processes),
            ("wrap", self.wrap),
        ):
            yield from (f"{word}:{value}" for value in values)
        if self.trading:
            yield "trading"


@attrs.frozen(kw_only=True)
class Capabilities:
    """What each declared kind can do; ``None`` for a kind that is not declared."""

    broker: BrokerCapabilities | None = None
    market_data: MarketDataCapabilities | None = None
    feed: FeedCapabilities | None = None
    marketplace: MarketplaceCapabilities | None = None
    channel: ChannelCapabilities | None = None
    notifier: NotifierCapabilities | None = None
    memory: MemoryCapabilities | None = None

    def of(self, kind: Kind) -> Any:
        """Return the capabilities of a declared kind, an instance of ``KINDS[kind].capabilities``; else ``None``."""
        return getattr(self, CAPABILITY_FIELDS[kind])


#: kind -> its attribute of ``Capabilities``
CAPABILITY_FIELDS: Final[Mapping[Kind, str]] = {kind: kind.name.lower() for kind in Kind}


_NO_CAPABILITIES: Final = Capabilities()
NO_REQUIRES: Final = Requires()
NO_PERMISSIONS: Final = Permissions()


@attrs.frozen(kw_only=True)
class Manifest:
    """A valid manifest.

    Attributes:
        entry: how the code is run; ``None`` only for a plugin that a program embeds as an object.
        config_schema: JSON Schema (Draft 2020-12) of the plugin's configuration; empty when it takes none.
        extra: the ``x-`` keys, as written.
    """

    id: str
    name: str
    version: str
    kinds: tuple[Kind, ...]
    entry: Entry | None = None
    config_schema: Mapping[str, Any] = NOTHING
    capabilities: Capabilities = _NO_CAPABILITIES
    description: str = ""
    authors: tuple[str, ...] = ()
    license: str = ""
    homepage: str = ""
    requires: Requires = NO_REQUIRES
    permissions: Permissions = NO_PERMISSIONS
    manifest_version: int = MANIFEST_VERSION
    extra: Mapping[str, Any] = NOTHING


def fold(plugin_id: str) -> str:
    """Return what two look-alike ids (case, ``-`` and ``_``) have in common."""
    return plugin_id.lower().replace("-", "_")

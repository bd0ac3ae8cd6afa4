"""Where bad inputs are made: directories, hosts that have a bystander beside whatever is bad, a secret to look for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from gatehook import GatehookError
from gatehook import PluginHost
from gatehook.catalog import Places
from gatehook.catalog import make_plan
from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.config import config_from
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import Severity
from gatehook.gateway import Gateway
from gatehook.testing.hosting import HostMaker
from tests.cli.conftest import CommandLine
from tests.host.plugin_kit import FAST
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import state_of

BYSTANDER = "bystander"
TOKEN = {"type": "object", "properties": {"token": {"type": "string", "writeOnly": True}}}


class World:
    """The means of a row. ``canary`` is the value of a secret that the bystander holds, ``secret`` its reference."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        write: Callable[..., Path],
        hosts: HostMaker,
        secret: Mapping[str, str],
        canary: str,
    ) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.hosts = hosts
        self.secret = secret
        self.canary = canary
        self.plugin = write
        self.bystander = write(BYSTANDER, QUOTES, configSchema=TOKEN)
        self.ran_on = False

    @property
    def data_dir(self) -> Path:
        return self.hosts.data_dir

    def bad(self, source: str = QUOTES, *, text: str | bytes | None = None, **manifest: Any) -> Path:
        """Write a plugin ``bad``; ``text`` is its plugin.json, a keyword that is ``None`` takes a key out."""
        root = self.plugin("bad", source, **manifest)
        file = root / "plugin.json"
        kept = {key: value for key, value in json.loads(file.read_text()).items() if value is not None}
        text = json.dumps(kept, indent=1) if text is None else text
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return root

    @asynccontextmanager
    async def host(
        self,
        *paths: Path,
        plugins: Iterable[Any] = (),
        builtin: bool = False,
        places: Mapping[str, Any] | None = None,
        data_dir: Path | None = None,
        clock: Any = None,
        supervision: Mapping[str, Any] | None = None,
        memory: Mapping[str, Any] | None = None,
        **plugins_section: Any,
    ) -> AsyncIterator[PluginHost]:
        """Run a host with the bystander, which must be active when the block ends."""
        entries = {BYSTANDER: {"config": {"token": self.secret}}, **plugins_section.pop("entries", {})}
        config = {
            "gateway": {"data_dir": str(data_dir or self.data_dir)},
            "supervision": {**FAST, **(supervision or {})},
            "memory": memory or {},
            "plugins": {"slots": {"memory": "none"}, **plugins_section, "entries": entries},
        }
        if places is None:
            host = self.hosts(
                paths=[*paths, self.bystander], plugins=list(plugins), builtin=builtin, config=config, clock=clock
            )
        else:
            where = Places(**{"dev": (*paths, self.bystander), **places})
            host = PluginHost.from_config(config, plugins=list(plugins), places=where, clock=clock)
        async with host:
            yield host
            assert state_of(host, BYSTANDER) == "active", host.diagnostics
            self.ran_on = True

    async def hosted(self, *paths: Path, **options: Any) -> Iterable[Diagnostic]:
        """Run a host, and return everything it said until it had stopped."""
        async with self.host(*paths, **options) as host:
            pass
        return host.diagnostics

    async def refused(self, **options: Any) -> Iterable[Diagnostic]:
        """Start a host that refuses to, and return why."""
        with pytest.raises(GatehookError) as caught:
            await self.hosted(**options)
        return caught.value.diagnostics

    async def planned(self, *, places: Mapping[str, Any], mode: str = "paper", **section: Any) -> Iterable[Diagnostic]:
        """Return what the control plane says, where the input keeps every plugin from running."""
        options = {name: section.pop(name) for name in ("locked", "no_plugins", "thorough") if name in section}
        config = config_from({"gateway": {"mode": mode, "data_dir": str(self.data_dir)}, "plugins": section})
        return make_plan(config, places=Places(**places), **options).diagnostics

    @asynccontextmanager
    async def gateway(self, *paths: Path, log: Any = None, **options: Any) -> AsyncIterator[Any]:
        """Run a gateway with the built-in plugins; yields a function that sends a request and returns the refusal."""
        async with self.host(*paths, builtin=True, **options) as host:
            gateway = Gateway(host, log=log)
            async with gateway._services():
                client = Client(self.data_dir)

                async def call(method: str, **params: Any) -> Any:
                    try:
                        return await anyio.to_thread.run_sync(lambda: client.call(method, params))
                    except RemoteFailure as failure:
                        return [said(failure.error)]

                call.host = host  # type: ignore[attr-defined]  # a test's shortcut
                yield call

    def command(self, *words: Any, config: str = "") -> Iterable[Diagnostic]:
        """Run a command on directories of its own; return what it said is wrong."""
        line = self.command_line()
        if config:
            line.config.write_text(config)
        answer = line(*words, "--json")
        assert answer.code != 0, answer
        return [said(one) for one in answer.json["error"]["all"]]

    def command_line(self) -> CommandLine:
        line = CommandLine(self.folder / "line")
        line.here.mkdir(parents=True, exist_ok=True)
        for name, value in (
            ("XDG_CONFIG_HOME", line.home / "config"),
            ("XDG_DATA_HOME", line.home / "share"),
            ("GATEHOOK__GATEWAY__DATA_DIR", line.data_dir),
        ):
            self.monkeypatch.setenv(name, str(value))
        self.monkeypatch.chdir(line.here)
        return line


def said(problem: Mapping[str, Any]) -> Diagnostic:
    """Return a problem of a JSON document as the diagnostic it was."""
    facts = {key: problem.get(key) for key in ("plugin", "entry", "origin", "path", "line", "pointer")}
    facts["path"] = None if facts["path"] is None else Path(facts["path"])
    severity = Severity(problem.get("severity") or "error")
    return Diagnostic(
        code=problem["code"], severity=severity, message=problem["message"], remedy=problem["remedy"], **facts
    )

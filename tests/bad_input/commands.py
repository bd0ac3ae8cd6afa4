"""What is wrong with a command line, a request to the gateway, or the gateway that answers."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading

import anyio
import anyio.to_thread
import pytest

from gatehook import GatehookError
from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import Severity
from gatehook.gateway import protocol
from gatehook.gateway.control import ControlServer
from gatehook.gateway.methods.method import Method
from gatehook.gateway.watch import broker_findings
from tests.bad_input.table import Table
from tests.bad_input.world import said
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.orders.conftest import eventually

TABLE = Table()

#: A problem as people read it: severity, message, code; place and remedy indented below.
PROBLEM = re.compile(r"^(\w+): (.*) \[(\S+)\]\n((?:  .*\n)*)", re.MULTILINE)
ORDER = {"side": "buy", "quantity": "1000", "instrument": "EURUSD.SIMULATED", "type": "market", "client_order_id": "a"}


def command(code: str, what: str, at: str, *words: str) -> None:
    async def provoke(world):
        return world.command(*words)

    TABLE.add(code, what, at, provoke)


command("cli.bad-usage", "a command misspelt", "", "plugins", "shwo")
command("cli.bad-usage", "an option that there is not", "", "plugins", "list", "--jsn")
command("cli.no-gateway", "no gateway runs", "", "status")
command("cli.unknown-plugin", "an id that there is not", "plugin", "plugins", "show", "papr")
command("cli.unknown-slot", "a slot that there is not", "", "slots", "use", "memroy", "sqlite_fts")
command("cli.not-for-slot", "a broker for a memory", "entry", "slots", "use", "memory", "paper")
command(
    "cli.builtin-needs-deny",
    "consent to a built-in plugin taken back",
    "plugin",
    "plugins",
    "disable",
    "paper",
    "--yes",
)


@TABLE.row("cli.consent-needed", "nobody there to say yes", "")
async def consent(world):
    world.command_line().plugin("mine")
    return world.command("plugins", "enable", "mine")


@TABLE.row("cli.not-runnable", "consent to a plugin that is broken", "plugin")
async def not_runnable(world):
    world.command_line().plugin("mine", version=7)
    return world.command("plugins", "enable", "mine", "--yes")


@TABLE.row("cli.changed-meanwhile", "a file that changes while a person reads", "plugin")
async def changed(world):
    from gatehook.cli import consent

    directory = world.command_line().plugin("mine")
    asked = consent._asked

    def changing(candidate):
        shown = asked(candidate)
        (directory / "plugin.py").write_text("other = True\n")
        return shown

    world.monkeypatch.setattr(consent, "_asked", changing)
    return world.command("plugins", "enable", "mine", "--yes")


@TABLE.row("cli.unexpected", "a defect of Gatehook's own", "")
async def unexpected(world):
    def broken(where):
        raise ZeroDivisionError(world.canary)

    world.monkeypatch.setattr("gatehook.cli.options.Where.load", broken)
    return world.command("plugins", "list")


@TABLE.row("cli.no-answer", "a gateway that speaks nonsense", "")
async def no_answer(world):
    line = world.command_line()
    line.data_dir.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        world.monkeypatch.chdir(line.data_dir)  # the path of a socket is short
        server.bind(protocol.SOCKET)
        server.listen(4)

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"nonsense\n")

        answering = threading.Thread(target=serve)
        answering.start()
        found = await anyio.to_thread.run_sync(lambda: world.command("status"))
        answering.join(10)
        return found


def process(world, *words):
    """Run the command as users do, in a process of its own, and return what it says is wrong."""
    line = world.command_line()
    done = subprocess.run(
        [sys.executable, "-m", "gatehook", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=line.here,
        env=dict(os.environ),
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert world.canary not in done.stdout + done.stderr
    return [
        Diagnostic(code=code, severity=Severity(severity), message=message, remedy=remedy.strip())
        for severity, message, code, remedy in PROBLEM.findall(done.stderr)
    ]


@TABLE.row("gateway.live-unconfirmed", "mode live that nobody has confirmed", "")
async def live(world):
    return process(world, "run", "--set", "gateway.mode=live")


@TABLE.row("gateway.live-unreadable", "a confirmation that somebody else can write", "")
async def live_unreadable(world):
    line = world.command_line()
    assert line("mode", "confirm-live", "--yes").code == 0
    (line.data_dir / "live.json").chmod(0o666)
    return process(world, "run", "--set", "gateway.mode=live")


@TABLE.row("gateway.replay-file", "a file that is not there", "")
async def replay_file(world):
    return process(world, "run", "--replay", world.folder / "gone.csv")


@TABLE.row("gateway.replay-failed", "a file that is no prices", "")
async def replay_failed(world):
    (world.folder / "EURUSD.csv").write_text("a,b\n1,2\n")
    return process(world, "run", "--replay", world.folder / "EURUSD.csv")


@TABLE.row("host.data-dir-locked", "a second gateway on one data directory, told who holds it", "")
async def second_gateway(world):
    async with world.host(data_dir=world.command_line().data_dir):
        found = await anyio.to_thread.run_sync(lambda: process(world, "run"))
        assert f"the process {os.getpid()}, started 20" in str(found)
    return found


# --- requests


def request(code: str, what: str, at: str, method: str, **params) -> None:
    async def provoke(world):
        async with world.gateway() as call:
            return await call(method, **params)

    TABLE.add(code, what, at, provoke)


request("gateway.bad-request", "a method that there is not", "", "orders.plce")
request("gateway.bad-request", "a number for a quantity", "", "orders.place", **{**ORDER, "quantity": 1000})
request("gateway.bad-request", "NaN for a quantity", "", "orders.place", **{**ORDER, "quantity": "NaN"})
request("gateway.no-entry", "a search without a memory", "", "memory.search", text="x")
request("gateway.choose-account", "an account that there is not", "", "orders.place", **ORDER, account="papr/main")
request(
    "gateway.unknown-instrument", "an instrument that there is not", "", "market.quote", instrument="EURUSB.SIMULATED"
)
request("gateway.unknown-order", "an order that there is not", "", "orders.show", id="nobody")


@TABLE.row("host.data-dir-unusable", "a file where the control socket belongs", "path")
async def no_socket(world):
    world.data_dir.mkdir(mode=0o700)
    (world.data_dir / protocol.SOCKET).write_text("")
    with pytest.raises(GatehookError) as caught:
        async with ControlServer(world.data_dir, {}).serving():
            pass
    assert (world.data_dir / protocol.SOCKET).exists()
    return caught.value.diagnostics


@TABLE.row("gateway.not-remembered", "a memory that refuses to write", "entry")
async def not_remembered(world):
    away = MEMORY.replace(
        "    async def upsert(self, docs, *, if_revision=None):\n",
        "    async def upsert(self, docs, *, if_revision=None):\n        from gatehook import NotConnected\n"
        "        raise NotConnected('away')\n",
    )
    notes = world.plugin("notes", away, kinds=[MEMORY_KIND])
    async with world.gateway(notes, slots={"memory": "notes"}) as call:
        assert (await call("orders.place", **ORDER))["order"]["status"] == "filled"
        await eventually(lambda: "gateway.not-remembered" in [one.code for one in call.host.diagnostics])
        return call.host.diagnostics


@TABLE.row("gateway.broker-down", "a broker that is gone while it holds a position", "entry")
async def broker_down(world):
    async with world.gateway() as call:
        assert (await call("orders.place", **ORDER))["order"]["status"] == "filled"
        assert list(broker_findings(call.host)) == []
        await call.host.desk.detach("paper")
        return list(broker_findings(call.host))


async def never(params):
    await anyio.sleep_forever()


async def break_down(params):
    raise ZeroDivisionError("a detail")


async def answered(world, method):
    table = {"slow": Method(never, timeout=0.05), "broken": Method(break_down)}
    world.data_dir.mkdir(mode=0o700)
    async with ControlServer(world.data_dir, table).serving():
        with pytest.raises(RemoteFailure) as caught:
            await anyio.to_thread.run_sync(lambda: Client(world.data_dir).call(method))
    return [said(caught.value.error)]


TABLE.add("gateway.too-slow", "a method without end", "", lambda world: answered(world, "slow"))
TABLE.add("gateway.method-failed", "a defect of the gateway's own", "", lambda world: answered(world, "broken"))


@TABLE.row("gateway.socket-path-too-long", "a path that no socket can have", "path")
async def long_path(world):
    world.monkeypatch.setattr(protocol, "DESCRIPTORS", world.folder / "no-proc")
    with pytest.raises(GatehookError) as caught:
        Client(world.folder / ("d" * 120)).call("status")
    return caught.value.diagnostics

"""What is wrong with gatehook.toml, with an entry's configuration, with a schema, with a secret."""

from __future__ import annotations

import os
from datetime import date
from typing import Any

import pytest

from gatehook import GatehookError
from gatehook.config import edit_config
from gatehook.config import load_config
from gatehook.config import plan_edit
from gatehook.host import PluginHost
from tests.bad_input.table import Table
from tests.bad_input.world import said

TABLE = Table()

LINE = "path line"


def file(code: str, what: str, at: str, data: bytes) -> None:
    """A gatehook.toml that no host can be made from."""

    async def start(world):
        path = world.folder / "gatehook.toml"
        path.write_bytes(data)
        with pytest.raises(GatehookError) as caught:
            PluginHost.from_config(path)
        return caught.value.diagnostics

    TABLE.add(code, what, at, start)


file("config.too-large", "a megabyte", "path", b"#" * ((1 << 20) + 1))
file("config.invalid-toml", "two signs of equality", LINE, b"[gateway]\nmode = = 1")
file("config.unknown-key", "a section misspelt", LINE, b"\n[gatewai]")
file("config.wrong-type", "a number for a mode", LINE, b"[gateway]\nmode = 1")
file("config.wrong-type", "a string for a list", LINE, b"[plugins]\nallow = 'paper'")
file("config.bad-value", "a mode that there is not", LINE, b"[gateway]\nmode = 'papr'")
file("config.bad-value", "NaN seconds", LINE, b"[supervision]\nstop_timeout = nan")
file("config.wrong-type", "a float for a limit", LINE, b"[limits.paper]\nmax_notional = 0.5")
file("config.wrong-type", "a table for the rules", LINE, b"[permissions]\ncaller = 'cli'")
file("config.bad-value", "a limit below zero", LINE, b"[limits.paper]\nmax_notional = '-1'")
file("config.bad-value", "limits of what can be no account", LINE, b"[limits.'Paper/']")
file("config.unknown-key", "a limit misspelt", LINE, b"[limits.paper]\nmax_notionl = 1")
file("config.unknown-key", "a rule's key misspelt", LINE, b"[[permissions]]\ndecison = 'deny'")
file("config.look-alike", "two entries that look alike", LINE, b"[plugins.entries.a-b]\n[plugins.entries.a_b]")


@TABLE.row("config.unreadable", "a file that is not there", "path")
async def missing(world):
    return refusal(lambda: PluginHost.from_config(world.folder / "gone.toml"))


@TABLE.row("config.unreadable", "a pipe", "path")
async def pipe(world):
    os.mkfifo(world.folder / "gatehook.toml")
    return refusal(lambda: PluginHost.from_config(world.folder / "gatehook.toml"))


@TABLE.row("config.bad-override", "--set without a value", "")
async def override(world):
    return refusal(lambda: load_config(cwd=world.folder, environ={}, sets=[world.canary]))


def refusal(function):
    with pytest.raises(GatehookError) as caught:
        function()
    return caught.value.diagnostics


# --- names that lead nowhere


@TABLE.row("config.dangling-reference", "an allow list with an id that there is not", "path line")
async def dangling(world):
    line = world.command_line()
    line.config.write_text('[plugins]\nallow = ["gone"]\n')
    return [said(one) for one in line("plugins", "doctor", "--json").json["findings"]]


@TABLE.row("config.dangling-reference", "limits of an entry that there is not", "path line")
async def dangling_limits(world):
    line = world.command_line()
    line.config.write_text('[limits."gone/main"]\norders_per_minute = 3\n')
    return [said(one) for one in line("plugins", "doctor", "--json").json["findings"]]


# --- an entry's configuration

SCHEMA = {
    "type": "object",
    "properties": {"token": {"type": "string"}, "limit": {"type": "integer"}},
    "additionalProperties": False,
}


def entry(code: str, what: str, at: str, *, schema: Any = SCHEMA, **config: Any) -> None:
    TABLE.add(
        code,
        what,
        at,
        lambda world: world.hosted(
            world.bad(configSchema=schema),
            entries={
                "bad": {"config": {key: value(world) if callable(value) else value for key, value in config.items()}}
            },
        ),
    )


entry(
    "config.invalid-entry", "a secret where a number belongs", "entry plugin pointer", limit=lambda world: world.canary
)
entry("config.invalid-entry", "a property that there is not", "entry plugin pointer", tokn=lambda world: world.canary)
entry(
    "config.needs-config",
    "a token is required, and none is there",
    "entry plugin",
    schema={**SCHEMA, "required": ["token"]},
)
entry("secrets.unavailable", "a variable that is not set", "entry pointer", token={"env": "GATEHOOK_NO_SUCH_VARIABLE"})
entry("secrets.too-short", "a token of three characters", "entry pointer", token="abc")


@TABLE.row("config.invalid-entry", "the same, with the line of the file", "entry plugin path line pointer")
async def in_file(world):
    line = world.command_line()
    line.config.write_text(f'[plugins.entries.simulated.config]\nseed = "{world.canary}"\n')
    return [said(one) for one in line("plugins", "doctor", "--json").json["findings"]]


@TABLE.row("config.not-json", "a date", "entry pointer")
async def not_json(world):
    today = date(2026, 1, 1)
    return await world.hosted(world.bad(configSchema={"type": "object"}), entries={"bad": {"config": {"day": today}}})


# --- schemas


def schema(code: str, what: str, **property_: Any) -> None:
    async def provoke(world):
        about = {"type": "object", "properties": {"a": property_}, "required": ["b"]}
        return await world.hosted(world.bad(configSchema=about), entries={"bad": {"config": {"a": 1}}})

    TABLE.add(code, what, "plugin pointer path", provoke)


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else []


schema("config.schema-invalid", "a length that is a word", minLength="three")
schema("config.schema-too-complex", "fifty levels", examples=deep(50))
schema("config.schema-reference", "a $ref that leads nowhere", **{"$ref": "#/$defs/gone"})
schema("config.schema-pattern", "a pattern that no linear search has", pattern="(a)\\1")
schema("config.schema-passing", "a header of the transport", properties={"a": {"x-gatehook-header": "Host"}})
schema("config.schema-passing", "a nested environment variable", items={"x-gatehook-env": "NAME"})
schema(
    "config.schema-entry-kind", "an entry of a kind that there is not", **{"type": "string", "x-gatehook-entry": "x"}
)


@TABLE.row("secrets.unmarked", "a property called token that is not marked", "plugin pointer")
async def unmarked(world):
    line = world.command_line()
    line.plugin("bad", configSchema={"type": "object", "properties": {"token": {"type": "string"}}})
    return [said(one) for one in line("plugins", "doctor", "--json").json["findings"]]


# --- editing


@TABLE.row("config.file-changed", "somebody else edits too", "path")
async def changed_meanwhile(world):
    path = world.folder / "gatehook.toml"
    edit = plan_edit(path, "gateway.mode", "demo")
    path.write_text("[gateway]\n")
    found = refusal(edit.write)
    assert path.read_text() == "[gateway]\n"
    return found


@TABLE.row("config.not-written", "a full disk", "path")
async def full_disk(world):
    path = world.folder / "gatehook.toml"
    path.write_text('[gateway]\nmode = "paper"\n')

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with world.monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        found = refusal(lambda: edit_config(path, "gateway.mode", "demo"))
    assert path.read_text() == '[gateway]\nmode = "paper"\n'
    assert [one.name for one in world.folder.iterdir() if "gatehook.toml" in one.name] == ["gatehook.toml"]
    return found


@TABLE.row("secrets.in-clear", "a token on the command line", "")
async def in_clear(world):
    return refusal(lambda: edit_config(world.folder / "gatehook.toml", "plugins.entries.x.config.token", world.canary))

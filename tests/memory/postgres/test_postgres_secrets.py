"""The password is in no output, however the connection fails."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from gatehook.kinds.errors import NotConnected
from gatehook.memory.postgres.backend import PostgresMemory
from gatehook.memory.postgres.target import Target
from gatehook.secrets import Secret
from gatehook.testing.hosting import HostMaker
from gatehook.testing.memory_probes import SetClock

pytestmark = pytest.mark.anyio

PASSWORD = "pa55 w'ord\\%/swordfish"
URL = "postgresql://user:pa55%20w%27ord%5C%25%2Fswordfish@/db?host="


def targets(folder: Path) -> list[Target]:
    return [
        Target(given={"host": str(folder), "user": "x", "password": Secret(PASSWORD)}),
        Target(dsn=Secret(f"{URL}{folder}")),
        Target(dsn=Secret(f"host={folder} user=x"), given={"password": Secret(PASSWORD)}),
    ]


async def test_a_connection_that_fails_shows_no_password(tmp_path: Path) -> None:
    for target in targets(tmp_path):
        memory = PostgresMemory(target, SetClock())
        with pytest.raises(NotConnected) as caught:
            async with memory:
                pass
        said = "".join(traceback.format_exception(caught.value)) + str(memory.health()) + repr(target)
        assert "swordfish" not in said
        assert "socket" in str(caught.value)


async def test_an_entry_that_fails_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    for dsn in (f"{URL}{tmp_path}", f"host={tmp_path} password=swordfish'x", f"swordfish{PASSWORD}"):
        monkeypatch.setenv("POSTGRES_DSN", dsn)
        plugins = {
            "slots": {"memory": "postgres"},
            "deny": ["paper", "simulated", "replay"],
            "entries": {"postgres": {"config": {"dsn": {"env": "POSTGRES_DSN"}}}},
        }
        async with HostMaker(tmp_path / "host")(builtin=True, config={"plugins": plugins}) as host:
            pass
        assert [one.code for one in host.diagnostics if one.code in ("host.start-failed", "memory.dsn-unreadable")]
        said = "".join(f"{one}{one.to_json()}" for one in host.diagnostics) + caplog.text
        assert "swordfish" not in said

"""The data directory belongs to one host at a time, and to its owner."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gatehook import GatehookError
from gatehook.host.lock import DataDirectory
from tests.host.plugin_kit import host_of

pytestmark = pytest.mark.anyio


async def test_fault_19_a_second_host_is_refused_and_told_who_holds_it(tmp_path):
    async with host_of(tmp_path) as host:
        with pytest.raises(GatehookError, match=f"the process {os.getpid()}, started 20") as caught:
            async with host_of(tmp_path):
                pass
        assert caught.value.diagnostics[0].code == "host.data-dir-locked"
        assert host.health().status == "ok"
    async with host_of(tmp_path):
        pass


async def test_the_directory_is_its_owners_alone(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    async with host_of(tmp_path):
        assert data.stat().st_mode & 0o777 == 0o700
        assert (data / "lock").stat().st_mode & 0o777 == 0o600
        assert json.loads((data / "lock").read_text())["pid"] == os.getpid()
    assert (data / "lock").read_text() == ""


@pytest.mark.parametrize("make", [lambda path: path.write_text(""), lambda path: path.symlink_to("/nowhere/at/all")])
async def test_a_directory_that_cannot_be_used(tmp_path, make):
    make(tmp_path / "data")
    with pytest.raises(GatehookError, match=r"host\.data-dir-unusable"):
        async with host_of(tmp_path):
            pass


async def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "data" / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(GatehookError, match=r"host\.data-dir-unusable"):
        async with host_of(tmp_path):
            pass
    assert (tmp_path / "victim").read_text() == "precious"


async def test_the_lock_goes_with_the_process(tmp_path, anyio_backend_name):
    script = (
        "import os, sys; from pathlib import Path; from gatehook.host.lock import DataDirectory;"
        "DataDirectory(Path(sys.argv[1])).open(); os.kill(os.getpid(), 9)"
    )
    subprocess.run(  # noqa: ASYNC221  nothing else runs on the loop
        [sys.executable, "-c", script, str(tmp_path / "data")], check=False
    )
    directory = DataDirectory(tmp_path / "data")
    directory.open()
    directory.close()
    directory.close()


async def test_a_lock_without_a_name_in_it_still_holds(tmp_path):
    first = DataDirectory(tmp_path / "data")
    first.open()
    (tmp_path / "data" / "lock").write_text("{")
    with pytest.raises(GatehookError, match="another process"):
        DataDirectory(tmp_path / "data").open()
    first.close()

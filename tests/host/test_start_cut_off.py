"""A start that is cut off, at any moment, ends: nothing waits for what never began."""

from __future__ import annotations

import anyio
import pytest

from gatehook import PluginHost

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.mark.parametrize("milliseconds", [0, 2, 5, 10, 15, 20, 30, 45, 60, 90, 130, 180, 240])
async def test_fault_25_a_start_that_is_cancelled_at_any_moment_ends(tmp_path, milliseconds):
    config = {"gateway": {"data_dir": str(tmp_path / "data")}}
    for _ in range(3):
        async with anyio.create_task_group() as outer:
            with anyio.move_on_after(milliseconds / 1000):
                async with PluginHost.from_config(config):
                    await anyio.sleep_forever()
            outer.cancel_scope.cancel()


async def test_fault_25_a_start_that_is_cancelled_while_secrets_are_read_ends(tmp_path, monkeypatch):
    async def never(*_):
        await anyio.sleep_forever()

    monkeypatch.setattr("gatehook.host.runner.Runner._configure", never)
    with anyio.fail_after(20), anyio.move_on_after(0.3) as scope:
        async with PluginHost.from_config({"gateway": {"data_dir": str(tmp_path / "data")}}):
            raise AssertionError("the start was cancelled")
    assert scope.cancelled_caught

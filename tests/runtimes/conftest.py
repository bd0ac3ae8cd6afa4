"""An open runtime, closed again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatehook.runtimes import PythonRuntime


@pytest.fixture
def runtime() -> Iterator[PythonRuntime]:
    runtime = PythonRuntime()
    runtime.open()
    yield runtime
    runtime.close()

"""What the runtimes serve is what admission is told."""

from __future__ import annotations

from gatehook.catalog.manifest import Isolation
from gatehook.catalog.manifest import PythonModule
from gatehook.catalog.policy import RUNTIMES
from gatehook.runtimes import SERVED


def test_admission_and_the_runtimes_agree():
    assert RUNTIMES == SERVED


def test_a_python_module_in_process_is_served_and_one_in_its_own_process_is_not():
    assert PythonModule("plugin.py").runtime in SERVED
    assert PythonModule("plugin.py", Isolation.PROCESS).runtime not in SERVED

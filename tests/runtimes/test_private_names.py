"""Modules under private package names."""

from __future__ import annotations

import sys
import threading

import pytest

from gatehook import GatehookError
from gatehook.runtimes import PythonRuntime
from tests.runtimes.loading_kit import HOOK
from tests.runtimes.loading_kit import load
from tests.runtimes.loading_kit import load_one
from tests.runtimes.loading_kit import manifest
from tests.runtimes.loading_kit import request
from tests.runtimes.loading_kit import write


def module_of(plugin):
    [implementation] = plugin.providers.values()
    return sys.modules[implementation.function.__module__]


def test_two_plugins_may_both_have_utils(runtime, tmp_path):
    source = "from .utils import NAME\nfrom .parts.deep import DEEP\n" + HOOK
    files = {"plugin.py": source, "parts/deep.py": "from ..utils import NAME\nDEEP = NAME * 2\n"}
    one = write(tmp_path / "one", {**files, "utils.py": "NAME = 'one'"})
    two = write(tmp_path / "two", {**files, "utils.py": "NAME = 'two'"})
    path = list(sys.path)
    found = load(runtime, request(one, manifest("one-a")), request(two, manifest("two")))
    assert module_of(found["one-a"]).NAME == "one"
    assert module_of(found["two"]).DEEP == "twotwo"
    assert module_of(found["one-a"]).__name__ == "gatehook_plugins.user.one_a.plugin"
    assert sys.path == path
    assert "utils" not in sys.modules


def test_a_package_with_an_init_runs_it_and_may_be_the_module_itself(runtime, tmp_path):
    root = write(tmp_path, {"__init__.py": "HERE = 1\n" + HOOK, "plugin.py": "from . import HERE\n" + HOOK})
    assert module_of(load_one(runtime, request(root))).HERE == 1
    assert module_of(load_one(runtime, request(root, manifest("again"), module="__init__.py"))).HERE == 1


@pytest.mark.parametrize("cached", [True, False])
def test_bytecode_is_written_for_builtin_plugins_only(runtime, tmp_path, cached, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    root = write(tmp_path, {"plugin.py": "from . import utils\n" + HOOK, "utils.py": ""})
    load_one(runtime, request(root, cached=cached))
    assert (root / "__pycache__").exists() is cached


def test_planted_bytecode_is_never_run(runtime, tmp_path):
    import py_compile

    root = write(tmp_path, {"plugin.py": "NAME = 'evil'\n" + HOOK})
    py_compile.compile(str(root / "plugin.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    write(root, {"plugin.py": "NAME = 'good'\n" + HOOK})
    assert module_of(load_one(runtime, request(root))).NAME == "good"


def test_verified_bytes_are_what_runs_whatever_the_file_says_now(runtime, tmp_path):
    root = write(tmp_path, {"plugin.py": "raise SystemExit", "utils.py": "NAME = 'swapped'"})
    verified = {"plugin.py": f"from .utils import NAME\n{HOOK}".encode(), "utils.py": b"NAME = 'verified'"}
    plugin = load_one(runtime, request(root, files=lambda: verified))
    assert module_of(plugin).NAME == "verified"
    assert module_of(plugin).__file__ == str(root / "plugin.py")


def test_a_file_that_was_not_verified_is_not_found(runtime, tmp_path):
    root = write(tmp_path, {"plugin.py": "", "late.py": ""})
    with pytest.raises(GatehookError, match="late"):
        load_one(runtime, request(root, files=lambda: {"plugin.py": b"from . import late\n"}))


def test_an_installed_plugin_keeps_its_real_name(runtime, tmp_path):
    root = write(
        tmp_path / "acme_quotes", {"__init__.py": "", "plugin.py": "from . import utils\n" + HOOK, "utils.py": ""}
    )
    plugin = load_one(runtime, request(root, package="acme_quotes"))
    assert module_of(plugin).__name__ == "acme_quotes.plugin"
    runtime.close()
    assert "acme_quotes" not in sys.modules


def test_two_hosts_of_one_process_do_not_share_modules(runtime, tmp_path):
    root = write(tmp_path, {"plugin.py": HOOK})
    other = PythonRuntime()
    other.open()
    first, second = module_of(load_one(runtime, request(root))), module_of(load_one(other, request(root)))
    assert first is not second
    other.close()
    assert first.__name__ in sys.modules
    assert second.__name__ not in sys.modules


def test_closing_takes_the_finder_out_and_a_second_time_does_nothing(tmp_path):
    before = list(sys.meta_path)
    runtime = PythonRuntime()
    runtime.open()
    runtime.open()
    load_one(runtime, request(write(tmp_path, {"plugin.py": HOOK})))
    runtime.close()
    runtime.close()
    assert sys.meta_path == before
    assert not [name for name in sys.modules if name.startswith("gatehook_plugins.user.")]


def test_tracebacks_show_the_source(runtime, tmp_path):
    import traceback

    root = write(tmp_path, {"plugin.py": "def broken():\n    raise ValueError('here')\nbroken()\n"})
    with pytest.raises(GatehookError) as caught:
        load_one(runtime, request(root))
    assert "raise ValueError('here')" in "".join(traceback.format_exception(caught.value.__cause__))


def test_a_runtime_closes_while_an_abandoned_load_still_imports(tmp_path):
    """Imports cannot be cancelled: sys.modules changes under the close that forgets a host's modules."""
    over = threading.Event()

    def import_on():
        number = 0
        while not over.is_set():
            sys.modules[f"test_of_private_names_{number % 50}"] = sys
            sys.modules.pop(f"test_of_private_names_{(number + 25) % 50}", None)
            number += 1

    root = write(tmp_path, {"plugin.py": HOOK})
    before = set(sys.modules)
    switching = sys.getswitchinterval()
    importing = threading.Thread(target=import_on)
    try:
        sys.setswitchinterval(1e-6)
        importing.start()
        for _ in range(200):
            runtime = PythonRuntime()
            runtime.open()
            load_one(runtime, request(root))
            runtime.close()
    finally:
        over.set()
        importing.join()
        sys.setswitchinterval(switching)
        for name in set(sys.modules) - before:
            if name.startswith("test_of_private_names"):
                del sys.modules[name]

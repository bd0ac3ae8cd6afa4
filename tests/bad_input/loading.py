"""What a plugin's code does at import, and what it implements against what its manifest declares."""

from __future__ import annotations

import sys
import threading

from tests.bad_input.table import Table
from tests.host.plugin_kit import QUOTES

TABLE = Table()

LINE = "plugin path line"


def module(code: str, what: str, at: str, source: str, **manifest) -> None:
    TABLE.add(code, what, at, lambda world: world.hosted(world.bad(source, **manifest)))


module("runtime.import-failed", "sys.exit at import", LINE, "import sys\nsys.exit(3)\n")
module("runtime.import-failed", "KeyboardInterrupt at import", LINE, "raise KeyboardInterrupt\n")
module("runtime.import-failed", "no Python at all", LINE, "x = (\n")
module("runtime.import-failed", "a package that is not there", LINE, "\nimport gatehook_no_such_module\n")
module(
    "runtime.register-failed", "register raises", LINE, QUOTES + "def register(api):\n    raise RuntimeError('no')\n"
)
module(
    "runtime.register-failed", "register is a coroutine function", LINE, QUOTES + "async def register(api):\n    pass\n"
)
module("runtime.hook-missing", "a kind without its hook", "plugin", "")
module(
    "runtime.kind-undeclared",
    "a hook without its kind",
    LINE,
    QUOTES + "\n@hookimpl\ndef provide_broker(context):\n    pass\n",
)
module("runtime.hook-unknown", "a hook misspelt", LINE, QUOTES + "\n@hookimpl\ndef gateway_starte():\n    pass\n")
module("runtime.hook-unmarked", "a hook without its mark", LINE, QUOTES.replace("@hookimpl\n", ""))
module(
    "runtime.hook-twice",
    "a hook by the module and by register",
    "plugin path",
    QUOTES + "\nclass Second:\n    @hookimpl\n    def provide_market_data(self, context):\n        pass\n"
    "\ndef register(api):\n    api.add(Second())\n",
)
module(
    "runtime.hook-arguments",
    "an argument that the hook does not have",
    LINE,
    QUOTES.replace("(context):\n    return", "(context, config):\n    return"),
)
module(
    "runtime.wrapper-refused",
    "a wrapper without the permission",
    LINE,
    QUOTES + "\n@hookimpl(wrapper=True)\ndef provide_memory_backend(context):\n    return (yield)\n",
)


@TABLE.row("runtime.import-timeout", "a hang at import", "plugin")
async def hang(world):
    gate = threading.Event()
    world.monkeypatch.setitem(sys.modules, "gatehook_test_gate", gate)
    try:
        source = "import sys\nsys.modules['gatehook_test_gate'].wait()\n"
        return await world.hosted(world.bad(source), supervision={"start_timeout": 1.0})
    finally:
        gate.set()

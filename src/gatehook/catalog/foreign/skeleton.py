"""The adapter that an imported server begins with: each kind's class, with every method that has to be written."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from collections.abc import Sequence

from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind

_HEAD = '''"""Adapter for the MCP server {name}: says the {kinds} in terms of its tools.

`context.mcp` is the session with the server, supervised by Gatehook: `await self.mcp.call("tool", {{…}})` returns a
result, and `.json()` reads its text exactly. Each method below refuses until it is written.
"""

from __future__ import annotations

'''
_CLASS = '''
class {name}({base}):
    """The {kind} of the server."""

    def __init__(self, context: PluginContext) -> None:
        self.mcp = context.mcp
        self.logger = context.logger

    async def __aenter__(self) -> {name}:
        self.logger.info("the server offers: %s", ", ".join(sorted(self.mcp.tools)))
        return self
'''
_METHOD = """
    {asynchronous}def {name}{signature}:
        raise UnsupportedCapability("the adapter's {name} is not written yet")
"""
_HOOK = """

@hookimpl
def {hook}(context: PluginContext) -> {name}:
    return {name}(context)
"""


def adapter_skeleton(server: str, kinds: Sequence[Kind]) -> str:
    """Return the source of an adapter whose providers load and refuse everything."""
    bases = [KINDS[kind].provider_class() for kind in kinds]
    public = sorted({"PluginContext", "UnsupportedCapability", *(one.__name__ for one in bases)})
    imports = "".join(f"from gatehook import {name}\n" for name in [*public, "hookimpl"])
    words = " and the ".join(str(kind) for kind in kinds)
    parts = [_HEAD.format(name=ascii(server), kinds=words), imports]
    for kind, base in zip(kinds, bases, strict=True):
        parts += ["\n", *_provider(kind, base)]
    return "".join(parts)


def _provider(kind: Kind, base: type) -> Iterator[str]:
    name = f"Adapted{base.__name__}"
    yield _CLASS.format(name=name, base=base.__name__, kind=kind)
    for method in sorted(getattr(base, "__abstractmethods__", ())):
        function = getattr(base, method)
        asynchronous = "async " if inspect.iscoroutinefunction(function) else ""
        yield _METHOD.format(asynchronous=asynchronous, name=method, signature=_plain_signature(function))
    yield _HOOK.format(hook=KINDS[kind].hook, name=name)


def _plain_signature(function: object) -> str:
    signature = inspect.signature(function)  # type: ignore[arg-type]  # a method of a class
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(inspect.Signature(bare))

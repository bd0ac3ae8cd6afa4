"""What is wrong with a plugin.json."""

from __future__ import annotations

from typing import Any

from tests.bad_input.table import Table

TABLE = Table()

FILE = "path line"
KEY = "path line pointer"
MODULE = {"type": "python.module", "module": "plugin.py"}
URL = {"type": "external.mcp"}


def text(code: str, what: str, at: str, data: str | bytes) -> None:
    TABLE.add(code, what, at, lambda world: world.hosted(world.bad(text=data)))


def keys(code: str, what: str, at: str = KEY, **changes: Any) -> None:
    TABLE.add(code, what, at, lambda world: world.hosted(world.bad(**changes)))


text("manifest.not-json", "broken", FILE, '{"id": "bad",\n"name": }')
text("manifest.not-json", "empty", FILE, "")
text("manifest.too-large", "300 KiB", "path", b'{"id": "bad", "x-pad": "' + b"x" * 300 * 1024 + b'"}')
text("manifest.not-utf8", "another encoding", FILE, b'{"id": "\xff"}')
text("manifest.not-utf8", "a byte order mark", FILE, b"\xef\xbb\xbf{}")
text("manifest.too-deep", "10,000 levels", FILE, "[" * 10_000)
text("manifest.duplicate-key", "one key twice", FILE, '{"id": "bad",\n "id": "worse"}')
text("manifest.not-finite", "NaN", FILE, '{"id": "bad", "x-number": NaN}')
text("manifest.not-finite", "a number beyond all bounds", FILE, '{"id": "bad", "x-number": 1e999}')
text("manifest.lone-surrogate", "half a character", FILE, '{"id": "bad", "x-text": "\\ud800"}')
text("manifest.not-an-object", "a list", FILE, "[]")

keys("manifest.missing-key", "no version", FILE, version=None)
keys("manifest.unknown-key", "nmae", nmae="x")
keys("manifest.wrong-type", "a number for a name", name=7)
keys("manifest.wrong-type", "a string for the list of kinds", kinds="connector.marketData")
keys("manifest.wrong-type", "a string for an object", entry="plugin.py")
keys("manifest.bad-value", "a version that is none", version="one")
keys("manifest.bad-value", "a word for a capability that is yes or no", capabilities={"supportsHistory": "often"})
keys("manifest.bad-id", "a path for an id", id="../x")
keys("manifest.bad-text", "a name that turns the direction of writing", name="a\u202eb")
keys("manifest.unknown-kind", "a kind that there is not", kinds=["connector.brokr"])
keys("manifest.bad-path", "a module outside", entry={**MODULE, "module": "../plugin.py"})
keys("manifest.entry-missing", "a module that is not there", entry={**MODULE, "module": "gone.py"})
keys("manifest.bad-url", "another scheme", entry={**URL, "url": "file:///etc/passwd"})
keys("manifest.unknown-capability", "a capability that there is not", capabilities={"supportsTick": True})
keys("manifest.capability-of-other-kind", "a broker's capability", capabilities={"orderTypes": ["market"]})
keys("manifest.unknown-permission", "a permission that there is not", permissions={"netwrok": ["example.com"]})
keys("manifest.wildcard-permission", "every host", permissions={"network": ["*"]})
keys("manifest.bad-requirement", "a range without a ceiling", requires={"api": ">=1.0"})
keys("manifest.bad-schema", "a schema that is none", configSchema={"type": "object", "properties": []})
keys("manifest.bad-schema", "a type that there is not", configSchema={"properties": {"a": {"type": "strnig"}}})


@TABLE.row("manifest.entry-not-a-file", "a pipe for a module", KEY)
async def pipe_for_a_module(world):
    import os

    root = world.bad()
    (root / "plugin.py").unlink()
    os.mkfifo(root / "plugin.py")
    return await world.hosted(root)


@TABLE.row("manifest.entry-escapes", "a module that is a link outside", KEY)
async def link_outside(world):
    root = world.bad()
    (root / "plugin.py").rename(world.folder / "outside.py")
    (root / "plugin.py").symlink_to(world.folder / "outside.py")
    return await world.hosted(root)

"""Every hook is documented with its exact signature, and every example on the page is a plugin that runs."""

from __future__ import annotations

import inspect
import re
from types import FunctionType
from types import ModuleType

import pytest

from gatehook import hookspecs
from gatehook.context import RunState
from gatehook.host import PluginHost
from gatehook.kinds.kind import KINDS
from gatehook.testing.hosting import HostMaker
from tests.docs.stories import DOCS
from tests.docs.stories import blocks

PAGE = DOCS / "hooks.md"
HOOKS = [
    value
    for value in vars(hookspecs).values()
    if isinstance(value, FunctionType) and value.__module__ == hookspecs.__name__
]
EXAMPLES = [one.text for one in blocks(PAGE) if one.language == "python"]
PROVIDING = {spec.hook: kind for kind, spec in KINDS.items()}


def section(hook: str) -> str:
    found = re.search(rf"^## {hook}$(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section about {hook}"
    return found[1]


def signature(hook: FunctionType) -> str:
    return f"{hook.__name__}{inspect.signature(hook)}".replace("'", "")


def hook_of(example: str) -> str:
    return re.findall(r"^@hookimpl\ndef (\w+)", example, re.MULTILINE)[0]


def embedded(example: str) -> tuple[dict, ModuleType]:
    hook = hook_of(example)
    module = ModuleType(f"documented_{hook}")
    exec(compile(example, f"hooks.md: {hook}", "exec"), vars(module))
    kind = PROVIDING.get(hook)
    if kind is None:  # an observer rides on the simplest kind
        kind, other = PROVIDING_FEED
        exec(compile(other, "hooks.md", "exec"), vars(module))
    identity = hook.replace("_", "-")
    return {"id": identity, "name": hook, "version": "1.0", "kinds": [str(kind)]}, module


PROVIDING_FEED = next((PROVIDING[hook_of(one)], one) for one in EXAMPLES if hook_of(one) == "provide_feed")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_the_hook_is_documented_with_its_exact_signature(hook):
    text = section(hook.__name__)
    assert f"```text\n{signature(hook)}\n```" in text
    assert " ".join((hook.__doc__ or "").split()).partition(".")[0] in " ".join(text.split())
    assert "@hookimpl" in text


def test_the_page_has_no_hook_that_there_is_not():
    documented = [one for one in re.findall(r"^## (\w+)$", PAGE.read_text("utf-8"), re.MULTILINE) if "_" in one]
    assert documented == [hook.__name__ for hook in HOOKS]


@pytest.mark.anyio
async def test_every_example_is_a_plugin_that_runs(tmp_path):
    assert {hook_of(one) for one in EXAMPLES} == {hook.__name__ for hook in HOOKS}
    plugins = [embedded(one) for one in EXAMPLES]
    config = {"plugins": {"slots": {"memory": "provide-memory-backend"}}}
    host: PluginHost = HostMaker(tmp_path)(plugins=plugins, config=config)
    async with host:
        states = {one.entry_id: (one.state, one.reason) for one in host.statuses()}
        assert set(states) == {manifest["id"] for manifest, _ in plugins}
        assert {state for state, _ in states.values()} == {RunState.ACTIVE}, states
    # The example's venue is nowhere: that its account cannot be compared is right.
    errors = [one for one in host.diagnostics if one.severity == "error"]
    assert [one for one in errors if one.code != "orders.reconciliation-failed"] == []

"""The list of tools: bounded, cleaned, pinned."""

from __future__ import annotations

import json

import anyio
import pytest

from gatehook import ToolDefinition
from gatehook.kinds.errors import Denied
from gatehook.runtimes.mcp import McpLimits
from gatehook.runtimes.mcp import McpState
from gatehook.runtimes.mcp import ToolPin
from gatehook.runtimes.mcp import fingerprint
from gatehook.runtimes.mcp.listing import BadToolList
from gatehook.runtimes.mcp.listing import read_tools
from tests.runtimes.mcp.conftest import History
from tests.runtimes.mcp.conftest import plain
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import until

pytestmark = pytest.mark.anyio

TOOL = {"name": "quote", "description": "a price", "inputSchema": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    ("fault", "says"),
    [("--same-cursor", "no end"), ("--twice", "two of its tools"), ("--many", "more than 512"), ("--no-tools", "none")],
)
async def test_a_list_that_confuses_is_not_connected_to(fault, says):
    async with running(plain(fault, backoff=5.0), wait=False) as session:
        await until(session, McpState.BACKOFF)
        assert says in session.status.reason


@pytest.mark.parametrize(
    "tool",
    [
        {**TOOL, "name": "a b"},
        {**TOOL, "name": ""},
        {**TOOL, "name": "x" * 200},
        {**TOOL, "name": "quot\u0435"},  # a Cyrillic letter
        {**TOOL, "inputSchema": None},
        {**TOOL, "inputSchema": {"description": "x" * 70_000}},
        {**TOOL, "outputSchema": []},
    ],
)
def test_a_definition_that_is_none_is_refused(tool):
    with pytest.raises(BadToolList):
        read_tools([tool], McpLimits())


def test_what_a_person_cannot_see_is_taken_out():
    hidden = "a \u200bprice\u202e \U000e0041\ufe0f \x1b[31m"
    made = read_tools([{**TOOL, "description": hidden, "inputSchema": {"title": hidden}}], McpLimits())["quote"]
    assert made.description == "a price  [31m"
    assert made.input_schema == {"title": "a price  [31m"}


def test_what_is_cut_off_a_description_is_still_in_its_fingerprint():
    first, second = (read_tools([{**TOOL, "description": "x" * 5000 + end}], McpLimits()) for end in "ab")
    assert len(first["quote"].description) < 4300
    assert fingerprint(first.values()) != fingerprint(second.values())


def test_a_fingerprint_is_of_the_definitions_and_not_of_their_order():
    one, two = ToolDefinition(name="a"), ToolDefinition(name="b", annotations={"readOnlyHint": True})
    assert fingerprint([one, two]) == fingerprint([two, one])
    assert len({fingerprint([one]), fingerprint([two]), fingerprint([one, two]), fingerprint([])}) == 4


def test_a_pin_says_what_changed_and_survives_json():
    before = [
        ToolDefinition(name="a"),
        ToolDefinition(name="b", description="x", input_schema={"properties": {"p": {"minimum": 0.5}}}),
    ]
    pin = ToolPin.from_json(json.loads(json.dumps(ToolPin.of(before).to_json())))
    assert pin.fingerprint == fingerprint(before)
    assert not pin.difference(before)
    now = [ToolDefinition(name="c"), ToolDefinition(name="b", description="y", input_schema={})]
    difference = pin.difference(now)
    assert difference.to_json() == {
        "added": ["c"],
        "removed": ["a"],
        "changed": {"b": ["description", "input_schema"]},
    }
    assert str(difference) == "new: c; gone: a; b: description, input_schema changed"


@pytest.mark.parametrize(
    "damage", [lambda raw: raw["tools"].pop("a"), lambda raw: raw.pop("tools"), lambda raw: raw.update(fingerprint="x")]
)
def test_a_damaged_pin_is_none(damage):
    raw = ToolPin.of([ToolDefinition(name="a")]).to_json()
    damage(raw)
    with pytest.raises(ValueError):
        ToolPin.from_json(raw)


async def test_the_first_connection_makes_the_pin_and_others_are_held_against_it():
    history = History()
    async with running(plain(), history=history):
        pass
    (pin,) = history.first
    async with running(plain(), pin=pin, history=History()) as session:
        assert session.status.state is McpState.READY
    changed = History()
    async with running(plain("--change-once"), pin=pin, history=changed, wait=False) as session:
        with pytest.raises(Denied, match="suspended"):
            await session.wait_connected(10)
        with pytest.raises(Denied, match="echo: description changed"):
            await session.call("pid", {})
        assert session.difference.changed == {"echo": ("description",)}
        session.accept(ToolPin.of(session.tools.values()))
        await session.wait_connected(5)
        assert (await session.call("echo", {"text": "x"})).texts == ("x",)
        assert session.generation == 1
    assert not changed.first
    assert [one.changed for one in changed.differences] == [{"echo": ("description",)}]


async def test_definitions_that_change_while_connected_suspend_the_session():
    async with running(plain()) as session:
        assert (await session.call("change", {})).texts == ("changed",)
        await until(session, McpState.SUSPENDED)
        with pytest.raises(Denied, match="echo: description changed"):
            await session.call("pid", {})
        with anyio.fail_after(8), pytest.raises(Denied):
            await session.wait_connected(10)

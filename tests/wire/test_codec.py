"""Every domain object survives the wire and is what the schema says; everything else is refused with its place."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.capabilities import MemoryCapabilities
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.provider import Page
from gatehook.wire.codec import NotOnTheWire
from gatehook.wire.codec import WireCodec
from gatehook.wire.schemas import arguments_schema
from gatehook.wire.schemas import result_schema
from gatehook.wire.schemas import wire_schema
from gatehook.wire.tools import ITEMS
from gatehook.wire.tools import tool_table
from tests.wire.domain import ENTRY
from tests.wire.domain import any_of

TOOLS = tool_table(Kind)
CODEC = WireCodec(ENTRY)
CALM = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
METHODS = [tool for tool in TOOLS.values() if tool.part in ("", "open") and tool.parameters]
RESULTS = [tool for tool in TOOLS.values() if not tool.part and tool.result not in (None, type(None))]
SCHEMA = wire_schema()


def over(value):
    """Return JSON values as they arrive."""
    return json.loads(json.dumps(value))


def valid(schema):
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("tool", METHODS, ids=lambda tool: tool.name)
@given(data=st.data())
@CALM
def test_arguments_survive_and_are_what_the_schema_says(tool, data):
    for name, annotation in tool.parameters.items():
        value = data.draw(any_of(annotation), label=name)
        written = over(CODEC.dump(value, annotation))
        assert CODEC.load(annotation, written) == value
        schema = arguments_schema(tool)
        valid({**schema["properties"][name], "$defs": schema.get("$defs", {})}).validate(written)


@pytest.mark.parametrize("tool", RESULTS, ids=lambda tool: tool.name)
@given(data=st.data())
@CALM
def test_results_survive_and_are_what_the_schema_says(tool, data):
    value = data.draw(any_of(tool.result))
    written = over(CODEC.dump(value, tool.result))
    assert CODEC.load(tool.result, written) == value
    valid(result_schema(tool)).validate({"result": written})


@pytest.mark.parametrize("word", ITEMS)
@given(data=st.data())
@CALM
def test_items_survive_and_are_what_the_schema_says(word, data):
    value = data.draw(any_of(ITEMS[word]))
    written = over(CODEC.dump(value))
    assert CODEC.load(ITEMS[word], written) == value
    valid({"$ref": f"#/$defs/{ITEMS[word].__name__}", "$defs": SCHEMA["$defs"]}).validate(written)


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@CALM
def test_capabilities_survive_by_the_manifests_keys(kind, data):
    cls = KINDS[kind].capabilities
    value = data.draw(any_of(cls))
    assert CODEC.load_capabilities(cls, over(CODEC.dump_capabilities(value))) == value


def test_every_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for tool in TOOLS.values():
        jsonschema.Draft202012Validator.check_schema(arguments_schema(tool))
        jsonschema.Draft202012Validator.check_schema(result_schema(tool))


TICK = {"instrument_id": "EURUSD.A", "kind": "quote", "bid": "1.1", "ask": "1.2", "ts_event": "2024-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("change", "pointer", "what"),
    [
        ({"bid": 1.1}, "/items/1/bid", "float"),
        ({"bid": "NaN"}, "/items/1/bid", "finite"),
        ({"bid": True}, "/items/1/bid", "bool"),
        ({"kind": "offer"}, "/items/1/kind", "offer"),
        ({"ts_event": 5}, "/items/1/ts_event", "int"),
        ({"ts_event": "2024-01-01T00:00:00"}, "/items/1/ts_event", "offset"),
        ({"instrument_id": "EURUSD"}, "/items/1/instrument_id", "EURUSD"),
        ({"out_of_order": 1}, "/items/1/out_of_order", "int"),
        ({"a/b": 1}, "/items/1/a~1b", "no such field"),
    ],
)
def test_what_is_wrong_is_named_by_its_pointer(change, pointer, what):
    with pytest.raises(NotOnTheWire, match=what) as refused:
        CODEC.load(Page[Tick], {"items": [TICK, TICK | change]})
    assert refused.value.pointer == pointer


def test_an_account_belongs_to_whoever_reads_it():
    order = {
        "client_order_id": "a",
        "account": {"entry_id": "somebody", "account_id": "1"},
        "instrument_id": "EURUSD.A",
        "side": "buy",
        "type": "market",
        "quantity": "1",
        "quantity_unit": "base",
    }
    assert WireCodec("mine").load(OrderRequest, order).account.entry_id == "mine"
    del order["account"]["entry_id"]
    assert WireCodec("mine").load(OrderRequest, order).account.entry_id == "mine"


@pytest.mark.parametrize(
    ("cls", "data", "pointer"),
    [
        (MarketDataCapabilities, {"supportsTicks": "often"}, "/supportsTicks"),
        (MarketDataCapabilities, {"timeframes": ["2m"]}, "/timeframes/0"),
        (MemoryCapabilities, {"supportsMagic": True}, "/supportsMagic"),
        (MemoryCapabilities, [], ""),
    ],
)
def test_wrong_capabilities_are_named_by_their_pointer(cls, data, pointer):
    with pytest.raises(NotOnTheWire) as refused:
        CODEC.load_capabilities(cls, data)
    assert refused.value.pointer == pointer


def test_capabilities_that_are_absent_are_unsupported():
    found = CODEC.load_capabilities(MarketDataCapabilities, {"supportsTicks": "polled", "timeframes": ["1m"]})
    assert found == MarketDataCapabilities(ticks="polled", timeframes=(Timeframe.M1,))

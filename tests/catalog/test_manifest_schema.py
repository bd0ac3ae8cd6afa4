"""The published schema is the code's, and says no more than the code."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gatehook.catalog import builtin_directory
from gatehook.catalog import manifest_json_schema
from gatehook.catalog import parse_manifest
from gatehook.catalog.manifest_schema import FILE_NAME
from gatehook.catalog.manifest_schema import schema_text
from gatehook.catalog.structure import KEYS
from gatehook.kinds.capabilities import vocabulary
from gatehook.kinds.kind import KINDS
from tests.catalog.conftest import manifest_of
from tests.catalog.test_manifest import METAAPI

SCHEMA = manifest_json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def accepted(manifest: object) -> bool:
    return parse_manifest(json.dumps(manifest).encode(), Path("plugin.json"))[0] is not None


def test_the_published_file_and_the_shipped_one_are_what_the_code_makes():
    published = Path(__file__).parents[2] / "docs" / FILE_NAME
    assert published.read_text() == schema_text()
    assert (resources.files("gatehook.catalog") / FILE_NAME).read_text() == schema_text()


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_it_has_every_key_of_the_model():
    assert set(SCHEMA["properties"]) == KEYS
    words = {word.key for spec in KINDS.values() for word in vocabulary(spec.capabilities)}
    assert set(SCHEMA["properties"]["capabilities"]["properties"]) == words


def test_it_takes_the_manifest_of_the_specification_and_those_that_ship():
    VALIDATOR.validate(json.loads(METAAPI))
    for file in builtin_directory().glob("*/plugin.json"):
        VALIDATOR.validate(json.loads(file.read_text()))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Bad"},
        {"id": "a--b"},
        {"name": ""},
        {"kinds": []},
        {"kinds": ["nonsense"]},
        {"nmae": 1},
        {"manifestVersion": 2},
        {"entry": {"type": "python.module", "module": "../x.py"}},
        {"entry": {"type": "python.module", "module": "/x.py"}},
        {"entry": {"type": "python.module", "module": "a//x.py"}},
        {"entry": {"type": "node.module", "module": "x.py"}},
        {"entry": {"type": "external.mcp"}},
        {"entry": {"type": "external.mcp", "url": "http://x", "command": ["x"]}},
        {"entry": {"type": "external.mcp", "url": "ftp://x"}},
        {"capabilities": {"nonsense": 1}},
        {"capabilities": {"orderTypes": ["market", "market"]}},
        {"configSchema": {"type": "array"}},
        {"permissions": {"network": ["*"]}},
        {"permissions": {"everything": True}},
        {"permissions": {"wrap": ["connector.broker"]}},
        {"requires": {"nonsense": 1}},
    ],
)
def test_what_it_refuses_the_reader_refuses(changes):
    manifest = manifest_of(**changes)
    assert not VALIDATOR.is_valid(manifest)
    assert not accepted(manifest)


TEXT = st.text(max_size=8)
ENTRY = st.fixed_dictionaries(
    {"type": st.sampled_from(["python.module", "node.module", "external.mcp"])},
    optional={
        "module": st.sampled_from(
            ["plugin.py", "a/b.py", "x.mjs", "../x.py", "/x.py", "a/../b.py", "a..py", ".x.py", "..py"]
        ),
        "url": st.sampled_from(["http://x/sse", "https://x", "ftp://x"]),
        "command": st.lists(TEXT, max_size=2),
        "transport": st.sampled_from(["sse", "stdio"]),
        "isolation": st.sampled_from(["none", "process", "x"]),
    },
)
KEYS_AND_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.from_regex(r"[a-z0-9_-]{0,6}", fullmatch=True),
        "name": TEXT,
        "kinds": st.lists(st.sampled_from([*map(str, KINDS), "x"]), max_size=3),
        "entry": ENTRY,
        "description": TEXT,
        "authors": st.lists(TEXT, max_size=2),
        "capabilities": st.dictionaries(
            st.sampled_from(["orderTypes", "supportsPostOnly", "supportsTicks", "stemming", "x-a", "nope"]),
            st.booleans() | st.just("polled") | st.just(["market"]) | st.integers(-1, 2),
            max_size=2,
        ),
        "permissions": st.dictionaries(
            st.sampled_from(["network", "environment", "processes", "trading", "wrap", "x"]),
            st.booleans() | st.lists(st.sampled_from(["A", "a.b:80", "*", "memory.backend", ""]), max_size=2),
            max_size=2,
        ),
        "x-own": TEXT,
        "other": TEXT,
    },
)


@settings(max_examples=100, deadline=None)
@given(KEYS_AND_VALUES)
def test_what_the_reader_takes_the_schema_takes(changes):
    manifest = manifest_of(**changes)
    if accepted(manifest):
        VALIDATOR.validate(manifest)

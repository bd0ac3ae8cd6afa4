"""What is wrong with a manifest, each with its code and place; everything at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.catalog import parse_manifest
from tests.catalog.conftest import manifest_of

PATH = Path("/p/plugin.json")
GOOD = json.dumps(manifest_of(), indent=1)


def problems(data: bytes):
    manifest, diagnostics = parse_manifest(data, PATH)
    assert (manifest is None) is bool(diagnostics)
    return diagnostics


def codes(data: bytes) -> list[str]:
    return [one.code for one in problems(data)]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "manifest.not-json", 1),
        (b'{\n"id": }', "manifest.not-json", 2),
        (b'{"a": 1} x', "manifest.not-json", 1),
        (b'{"a": "\x01"}', "manifest.not-json", 1),
        (b'{"a": ' + b"1" * 5000 + b"}", "manifest.not-json", None),
        (b"\xef\xbb\xbf{}", "manifest.not-utf8", 1),
        (b"\xff\xfe{\x00}\x00", "manifest.not-utf8", 1),
        (b'{\n"a": "\xff"}', "manifest.not-utf8", 2),
        (b'{"a": "\xed\xa0\x80"}', "manifest.not-utf8", 1),
        (b"\n" + b"[" * 10_000, "manifest.too-deep", 2),
        (b'{"id": 1,\n "id": 2}', "manifest.duplicate-key", 2),
        (b'{"i\\u0064": 1,\n "id": 2}', "manifest.duplicate-key", 2),
        (b'{"x": {"a": 1,\n\n"a": 2}}', "manifest.duplicate-key", 3),
        (b'{\n"a": NaN}', "manifest.not-finite", 2),
        (b'{"a": -Infinity}', "manifest.not-finite", 1),
        (b'{"a":\n 1e999}', "manifest.not-finite", 2),
        (b'{"a": 1,\n "b": "\\ud800"}', "manifest.lone-surrogate", 2),
        (b'{"\\uDC00": 1}', "manifest.lone-surrogate", 1),
        (b"[]", "manifest.not-an-object", 1),
        (b'"x"', "manifest.not-an-object", 1),
        (b"null", "manifest.not-an-object", 1),
    ],
)
def test_fault_01_what_is_no_strict_json_is_refused_with_its_line(data, code, line):
    found = problems(data)
    assert [one.code for one in found] == [code]
    assert found[0].path == PATH
    assert found[0].line == line


def test_fault_01_a_paired_surrogate_is_a_character():
    manifest, _ = parse_manifest(json.dumps(manifest_of(name="\U0001f600")).encode(), PATH)
    assert manifest is not None
    assert manifest.name == "\U0001f600"


def test_regression_13_a_manifest_over_the_cap_has_a_code_of_its_own():
    big = json.dumps(manifest_of(description="x" * 300 * 1024)).encode()
    assert codes(big) == ["manifest.too-large"]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"id": None}, "manifest.missing-key", None),
        ({"entry": None}, "manifest.missing-key", None),
        ({"nmae": "x"}, "manifest.unknown-key", "/nmae"),
        ({"a/b~c": 1}, "manifest.unknown-key", "/a~1b~0c"),
        ({"id": 3}, "manifest.wrong-type", "/id"),
        ({"name": 3}, "manifest.wrong-type", "/name"),
        ({"name": ""}, "manifest.bad-text", "/name"),
        ({"name": "a\u202eb"}, "manifest.bad-text", "/name"),
        ({"name": "a\u200bb"}, "manifest.bad-text", "/name"),
        ({"name": "x" * 201}, "manifest.bad-text", "/name"),
        ({"description": "a\x1b[31m"}, "manifest.bad-text", "/description"),
        ({"description": 1}, "manifest.wrong-type", "/description"),
        ({"version": "one"}, "manifest.bad-value", "/version"),
        ({"version": 1}, "manifest.wrong-type", "/version"),
        ({"kinds": "connector.broker"}, "manifest.wrong-type", "/kinds"),
        ({"kinds": []}, "manifest.wrong-type", "/kinds"),
        ({"kinds": ["connector.brokr"]}, "manifest.unknown-kind", "/kinds/0"),
        ({"kinds": ["connector.broker", 3]}, "manifest.unknown-kind", "/kinds/1"),
        ({"kinds": ["connector.broker"] * 2}, "manifest.bad-value", "/kinds/1"),
        ({"entry": "plugin.py"}, "manifest.wrong-type", "/entry"),
        ({"entry": {}}, "manifest.missing-key", "/entry"),
        ({"entry": {"type": "pyhton.module"}}, "manifest.bad-value", "/entry/type"),
        ({"entry": {"type": "python.module"}}, "manifest.missing-key", "/entry"),
        ({"entry": {"type": "python.module", "module": 1}}, "manifest.wrong-type", "/entry/module"),
        ({"entry": {"type": "python.module", "module": "a.py", "x": 1}}, "manifest.unknown-key", "/entry/x"),
        (
            {"entry": {"type": "python.module", "module": "a.py", "isolation": True}},
            "manifest.bad-value",
            "/entry/isolation",
        ),
        ({"entry": {"type": "node.module", "module": "a.py"}}, "manifest.bad-path", "/entry/module"),
        ({"entry": {"type": "external.mcp"}}, "manifest.bad-value", "/entry"),
        ({"entry": {"type": "external.mcp", "url": "http://x", "command": ["y"]}}, "manifest.bad-value", "/entry"),
        ({"entry": {"type": "external.mcp", "command": []}}, "manifest.bad-value", "/entry/command"),
        ({"entry": {"type": "external.mcp", "command": "node x"}}, "manifest.wrong-type", "/entry/command"),
        (
            {"entry": {"type": "external.mcp", "command": ["x"], "transport": "sse"}},
            "manifest.bad-value",
            "/entry/transport",
        ),
        ({"entry": {"type": "external.mcp", "url": "file:///x"}}, "manifest.bad-url", "/entry/url"),
        ({"entry": {"type": "external.mcp", "url": "http://u:p@x"}}, "manifest.bad-url", "/entry/url"),
        ({"entry": {"type": "external.mcp", "url": "http://[x"}}, "manifest.bad-url", "/entry/url"),
        ({"entry": {"type": "external.mcp", "url": "http://"}}, "manifest.bad-url", "/entry/url"),
        (
            {"entry": {"type": "external.mcp", "url": "http://x", "transport": "ws"}},
            "manifest.bad-value",
            "/entry/transport",
        ),
        ({"capabilities": []}, "manifest.wrong-type", "/capabilities"),
        ({"capabilities": {"orderType": ["market"]}}, "manifest.unknown-capability", "/capabilities/orderType"),
        ({"capabilities": {"orderTypes": "market"}}, "manifest.bad-value", "/capabilities/orderTypes"),
        ({"capabilities": {"orderTypes": ["markt"]}}, "manifest.bad-value", "/capabilities/orderTypes"),
        ({"capabilities": {"orderTypes": ["market", "market"]}}, "manifest.bad-value", "/capabilities/orderTypes"),
        ({"capabilities": {"supportsPostOnly": 1}}, "manifest.bad-value", "/capabilities/supportsPostOnly"),
        ({"capabilities": {"clientOrderIdLength": True}}, "manifest.bad-value", "/capabilities/clientOrderIdLength"),
        ({"capabilities": {"clientOrderIdLength": 0}}, "manifest.bad-value", "/capabilities/clientOrderIdLength"),
        ({"capabilities": {"supportsTicks": True}}, "manifest.capability-of-other-kind", "/capabilities/supportsTicks"),
        ({"configSchema": []}, "manifest.wrong-type", "/configSchema"),
        ({"configSchema": {"type": "string"}}, "manifest.bad-schema", "/configSchema/type"),
        ({"configSchema": {"properties": []}}, "manifest.bad-schema", "/configSchema/properties"),
        ({"configSchema": {"properties": {"a": 1}}}, "manifest.bad-schema", "/configSchema/properties/a"),
        (
            {"configSchema": {"properties": {"a": {"type": "strnig"}}}},
            "manifest.bad-schema",
            "/configSchema/properties/a",
        ),
        ({"configSchema": {"required": "a"}}, "manifest.bad-schema", "/configSchema/required"),
        ({"configSchema": {"additionalProperties": 1}}, "manifest.bad-schema", "/configSchema/additionalProperties"),
        ({"requires": {"api": ">=1.0"}}, "manifest.bad-requirement", "/requires/api"),
        ({"requires": {"api": "<2"}}, "manifest.bad-requirement", "/requires/api"),
        ({"requires": {"api": "one"}}, "manifest.bad-requirement", "/requires/api"),
        ({"requires": {"packages": ["not a package!"]}}, "manifest.bad-requirement", "/requires/packages/0"),
        ({"requires": {"plugins": {"Bad Id": ""}}}, "manifest.bad-requirement", "/requires/plugins/Bad Id"),
        ({"requires": {"plugins": {"paper": 1}}}, "manifest.bad-requirement", "/requires/plugins/paper"),
        ({"requires": {"pythn": ""}}, "manifest.unknown-key", "/requires/pythn"),
        ({"permissions": []}, "manifest.wrong-type", "/permissions"),
        ({"permissions": {"trading": "yes"}}, "manifest.wrong-type", "/permissions/trading"),
        ({"permissions": {"network": ["http://x"]}}, "manifest.bad-value", "/permissions/network/0"),
        ({"permissions": {"files": {"read": ["x/../y"]}}}, "manifest.bad-value", "/permissions/files/read/0"),
        ({"permissions": {"environment": ["A B"]}}, "manifest.bad-value", "/permissions/environment/0"),
        ({"permissions": {"processes": ["a b"]}}, "manifest.bad-value", "/permissions/processes/0"),
        ({"permissions": {"wrap": ["connector.broker"]}}, "manifest.bad-value", "/permissions/wrap/0"),
        ({"manifestVersion": 2}, "manifest.bad-value", "/manifestVersion"),
        ({"manifestVersion": True}, "manifest.bad-value", "/manifestVersion"),
        ({"authors": "me"}, "manifest.wrong-type", "/authors"),
        ({"license": None, "homepage": 1}, "manifest.wrong-type", "/homepage"),
    ],
)
def test_one_thing_wrong(changes, code, pointer):
    found = problems(json.dumps(manifest_of(**changes), indent=1).encode())
    assert [(one.code, one.pointer) for one in found] == [(code, pointer)]
    assert found[0].line is not None


@pytest.mark.parametrize(
    "plugin_id",
    ["../x", "a\0b", "a\u202eb", "a\u200bb", "\u0430dmin", "A", "x" * 300, "-a", "a--b", "a-", "1a", "a b", "a.b", ""],
)
def test_fault_02_an_id_that_is_no_id_is_refused(plugin_id):
    assert codes(json.dumps(manifest_of(plugin_id)).encode()) == ["manifest.bad-id"]


@pytest.mark.parametrize(
    "module",
    ["/etc/x.py", "../x.py", "a/../../x.py", "a/./x.py", "a//x.py", "./x.py", "a\\x.py", "C:x.py", "x.txt", "x"],
)
def test_fault_04_a_path_that_leaves_the_directory_is_refused(module):
    assert codes(json.dumps(manifest_of(entry={"type": "python.module", "module": module})).encode()) == [
        "manifest.bad-path"
    ]


@pytest.mark.parametrize(
    ("permissions", "code"),
    [
        ({"*": True}, "manifest.wildcard-permission"),
        ({"wrap:*": True}, "manifest.wildcard-permission"),
        ({"netwrok": ["x"]}, "manifest.unknown-permission"),
        ({"files": {"exec": ["/x"]}}, "manifest.unknown-permission"),
        ({"network": ["*"]}, "manifest.wildcard-permission"),
        ({"network": ["*.example.com"]}, "manifest.wildcard-permission"),
        ({"files": {"read": ["/*"]}}, "manifest.wildcard-permission"),
        ({"environment": ["*"]}, "manifest.wildcard-permission"),
        ({"processes": ["*"]}, "manifest.wildcard-permission"),
    ],
)
def test_fault_05_unknown_and_wildcard_permissions_are_refused_never_ignored(permissions, code):
    assert codes(json.dumps(manifest_of(permissions=permissions)).encode()) == [code]


def test_everything_is_said_at_once_each_at_its_line():
    text = """{
  "id": "Bad",
  "kinds": [
    "connector.broker",
    "nonsense"
  ],
  "nmae": "x",
  "version": "1",
  "entry": {
    "type": "python.module",
    "module": "../x.py"
  }
}"""
    assert [(one.code, one.line) for one in sorted(problems(text.encode()), key=lambda one: one.line)] == [
        ("manifest.missing-key", 1),
        ("manifest.bad-id", 2),
        ("manifest.unknown-kind", 5),
        ("manifest.unknown-key", 7),
        ("manifest.bad-path", 11),
    ]


def test_a_near_miss_is_named():
    found = problems(json.dumps(manifest_of(capabilities={"orderTypes": ["markt"]}, discription="x")).encode())
    assert any('did you mean "description"' in one.message for one in found)
    assert any('did you mean "market"' in one.message for one in found)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\ud8NaN1e9 \n', max_size=200).map(str.encode))
def test_arbitrary_bytes_are_refused_and_never_raise(data):
    manifest, diagnostics = parse_manifest(data, PATH)
    assert manifest is None
    assert diagnostics


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted([*manifest_of(), "configSchema", "capabilities", "requires", "permissions", "authors"])),
    JSON,
)
def test_any_json_in_any_key_gives_a_manifest_or_placed_problems(key, value):
    for one in problems(json.dumps({**manifest_of(), key: value}, indent=1).encode()):
        assert one.line is not None
        assert one.message
        assert one.remedy

"""What a setting is, where it came from, and the schema and reference made from the same table."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator

from gatehook.config import Layer
from gatehook.config import config_from
from gatehook.config import config_json_schema
from gatehook.config import load_config
from gatehook.config import reference
from gatehook.config import shown
from gatehook.diagnostics import GatehookError
from gatehook.secrets import MASK

CANARY = "canary-4711-secret"
FILE = """\
[gateway]
mode = "demo"
[plugins.entries.x.config]
token = { env = "T" }
apiKey = "canary-4711-secret"
mark = "canary-4711-secret"
"""


@attrs.frozen
class Manifest:
    id: str
    config_schema: Mapping[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gatehook.toml"
    path.write_text(FILE)
    return path


def test_a_value_its_layer_its_line_and_whether_to_restart(path: Path) -> None:
    config = load_config(path, environ={"GATEHOOK__LOGGING__LEVEL": "debug"}, sets=["plugins.slots.memory=none"])
    mode, level = config.explain("gateway.mode"), config.explain("logging.level")
    assert (mode.value, mode.layer, mode.path, mode.line, mode.restart_needed) == ("demo", Layer.FILE, path, 2, True)
    assert (level.value, level.layer, level.origin) == (
        "debug",
        Layer.ENVIRONMENT,
        "environment GATEHOOK__LOGGING__LEVEL",
    )
    memory = config.explain("plugins.slots.memory")
    assert (memory.value, memory.layer, memory.line, memory.restart_needed) == ("none", Layer.SET, None, False)
    default = config.explain("supervision.stop_timeout")
    assert (default.value, default.layer, default.origin, default.line) == (5.0, Layer.DEFAULTS, "", None)


def test_a_slot_that_nobody_set_has_its_default() -> None:
    assert config_from({}).explain("plugins.slots.memory").value == "sqlite_fts"


def test_a_secret_is_masked_and_a_reference_is_shown(path: Path) -> None:
    config = load_config(path, environ={})
    assert config.explain("plugins.entries.x.config.apiKey").value == MASK
    assert config.explain("plugins.entries.x.config.token").value == {"env": "T"}
    schema = {"properties": {"mark": {"writeOnly": True}}}
    assert config.explain("plugins.entries.x.config.mark", {"x": schema}).value == MASK
    assert CANARY not in json.dumps(shown(config, {"x": schema}))
    assert CANARY not in json.dumps(config.explain("plugins", {"x": schema}).value["entries"]["x"]["config"]["apiKey"])


def test_a_secret_in_an_address_is_masked() -> None:
    url = f"https://host/sse?region=eu&api_key={CANARY}"
    config = config_from({"plugins": {"entries": {"x": {"url": url}}}})
    assert config.plugins.entries["x"].url == url
    assert config.explain("plugins.entries.x.url").value == f"https://host/sse?region=eu&api_key={MASK}"
    assert CANARY not in repr(config) + json.dumps(shown(config))


def test_no_such_key_is_an_error_with_a_hint(path: Path) -> None:
    with pytest.raises(GatehookError) as caught:
        load_config(path, environ={}).explain("gateway.mod")
    assert 'did you mean "gateway.mode"?' in str(caught.value)
    with pytest.raises(GatehookError):
        load_config(path, environ={}).explain("not a key")


def test_what_is_shown_is_json_and_loads_again() -> None:
    config = config_from({"plugins": {"entries": {"x": {"config": {"a": [1]}}}}})
    document = shown(config)
    assert json.loads(json.dumps(document)) == document
    for section in ("plugins", "audit"):
        document[section] = {key: value for key, value in document[section].items() if value is not None}
    document["plugins"]["entries"]["x"] = {"config": document["plugins"]["entries"]["x"]["config"]}
    assert config_from(document).plugins.entries == config.plugins.entries


def test_every_row_of_the_reference_is_a_setting_with_a_summary() -> None:
    memory = {"folders": [{"path": "/notes"}], "news": [{"feed": "x"}]}
    memory["retention"] = [{"namespace": "news", "keep": "90d"}]
    given = {"memory.folders.0.path", "memory.news.0.feed", "memory.retention.0.namespace", "memory.retention.0.keep"}
    config = config_from(
        {"plugins": {"entries": {"x": {}}}, "limits": {"x": {}}, "permissions": [{}], "memory": memory}
    )
    for row in reference():
        key = row.key
        for name, step in (("<entry>", "x"), ("<scope>", "x"), ("<rule>", "0"), ("<folder>", "0"), ("<feed>", "0")):
            key = key.replace(name, step)
        assert (config.explain(key).layer is Layer.DEFAULTS) is (key not in given)
        assert row.summary
        assert json.dumps(row.default) is not None


def test_the_schema_is_one_and_agrees_with_the_loader(path: Path) -> None:
    schema = {"type": "object", "properties": {"token": {"type": "string", "minLength": 3}}, "required": ["token"]}
    document = config_json_schema([Manifest("x", schema), Manifest("bad", {"type": 3})])
    Draft202012Validator.check_schema(document)
    validator = Draft202012Validator(document)
    assert validator.is_valid(tomllib.loads(path.read_text()))
    assert validator.is_valid(
        {"plugins": {"entries": {"x": {"config": {"token": "abc"}}, "bad": {"config": {"a": 1}}}}}
    )
    for wrong in (
        {"gatewai": {}},
        {"gateway": {"mode": "liv"}},
        {"supervision": {"stop_timeout": 0}},
        {"plugins": {"slots": {"memry": "x"}}},
        {"plugins": {"entries": {"x": {"config": {"token": "a"}}}}},
        {"plugins": {"entries": {"x": {"config": {}}}}},
    ):
        assert not validator.is_valid(wrong), wrong


def test_a_plugin_s_own_references_still_lead_home_in_the_whole_schema() -> None:
    own = {"$defs": {"n": {"type": "integer"}}, "properties": {"n": {"$ref": "#/$defs/n"}}}
    validator = Draft202012Validator(config_json_schema([Manifest("x", own)]))
    assert validator.is_valid({"plugins": {"entries": {"x": {"config": {"n": 1}}}}})
    assert not validator.is_valid({"plugins": {"entries": {"x": {"config": {"n": "1"}}}}})

"""What other hosts got wrong about configuration, through the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatehook.config import check_structure
from gatehook.config import config_json_schema
from gatehook.config import lint_schema
from gatehook.config import load_config
from gatehook.config import resolve_entry
from gatehook.config import shown
from gatehook.diagnostics import GatehookError
from gatehook.secrets import Redactor

CANARY = "canary-4711-secret"
SCHEMA: dict[str, Any] = {"properties": {"token": {"type": "string", "maxLength": 5}}, "additionalProperties": False}
FILE = """\
[plugins.entries.good.config]
token = { env = "GOOD" }
[plugins.entries.bad.config]
token = 3
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "gatehook.toml"
    path.write_text(text)
    return path


def test_regression_11_one_plugin_s_invalid_configuration_leaves_the_others_alone(tmp_path: Path) -> None:
    entries = load_config(written(tmp_path, FILE), environ={}).plugins.entries
    assert check_structure(entries["good"], SCHEMA) == ()
    assert resolve_entry(entries["good"], SCHEMA, environ={"GOOD": "abcde"}, redactor=Redactor()).values
    (found,) = check_structure(entries["bad"], SCHEMA)
    assert (found.plugin, found.entry, found.line, found.pointer) == ("bad", "bad", 4, "/token")


def test_regression_12_an_invalid_schema_is_the_finding_of_one_plugin(tmp_path: Path) -> None:
    assert lint_schema({"type": "strin"}, plugin="bad")
    assert lint_schema(SCHEMA, plugin="good") == ()


@pytest.mark.parametrize(
    "text",
    [
        f'[gateway]\ntoken = "{CANARY}"\n',
        f'[gateway]\nmode = "{CANARY}"\n',
        f'[gateway]\ndata_dir = ["{CANARY}"]\n',
        f'[supervision]\nstart_timeout = "{CANARY}"\n',
        f'[plugins]\nallow = ["{CANARY}X"]\n',
        f'[plugins.slots]\nmemory = "{CANARY}X"\n',
        f'[plugins.entries.x]\nurl = "https://me:{CANARY}@host/"\n',
        f'[plugins.entries.x]\ntoken = "{CANARY}"\n',
        f'[gateway]\nmode = "{CANARY}\n',
        f"[gateway]\nmode = {CANARY}\n",
        f'token = "{CANARY}" "{CANARY}"\n',
        f'[plugins.entries.x.config]\ntoken = "{CANARY}"\n[gateway]\nmode = 1\n',
    ],
)
def test_regression_19_no_message_of_the_loader_holds_a_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(GatehookError) as caught:
        load_config(
            written(tmp_path, text),
            environ={"GATEHOOK__GATEWAY__X": CANARY, "GATEHOOK__GATEWAY__MODE__Y": CANARY},
            sets=[CANARY, f"gateway.token={CANARY}", f"=x{CANARY}"],
        )
    assert CANARY not in str(caught.value)
    assert CANARY not in json.dumps([one.to_json() for one in caught.value.diagnostics])


def test_regression_19_a_value_from_the_environment_or_an_argument_is_masked_too(tmp_path: Path) -> None:
    config = load_config(
        written(tmp_path, ""),
        environ={"GATEHOOK__PLUGINS__ENTRIES__X__CONFIG__TOKEN": CANARY},
        sets=[f"plugins.entries.y.config.apiKey={CANARY}"],
    )
    assert CANARY not in repr(config)
    assert CANARY not in json.dumps(shown(config))
    assert CANARY not in " ".join(str(layer) for layer in config.layers)
    for key in ("plugins.entries.x.config.token", "plugins.entries.y.config", "plugins"):
        assert CANARY not in repr(config.explain(key))
    assert CANARY not in json.dumps(config_json_schema())


def test_fault_05_a_wildcard_where_an_id_belongs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GatehookError) as caught:
        load_config(written(tmp_path, '[plugins]\nallow = ["*"]\n'), environ={})
    assert [(one.code, one.line) for one in caught.value.diagnostics] == [("config.bad-value", 2)]

"""Changing a key keeps everything else, and a file is the old one or the new one."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.config import UNSET
from gatehook.config import edit_config
from gatehook.config import load_config
from gatehook.config import plan_edit
from gatehook.diagnostics import GatehookError

TEXT = """\
# top
[gateway]  # the gateway
mode = "paper" # why

[plugins]
allow = [] # none

[plugins.entries.metaapi-mcp.config]
token = { env = "A" }  # kept elsewhere
allowedAccounts = [
  "demo-1", # mine
]
"""
TOKEN = "plugins.entries.metaapi-mcp.config.token"
CANARY = "canary-4711-secret"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gatehook.toml"
    path.write_text(TEXT)
    return path


def refused(path: Path, key: Any, value: Any, **more: Any) -> str:
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(GatehookError) as caught:
        edit_config(path, key, value, **more)
    assert CANARY not in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before
    assert [one.name for one in path.parent.iterdir()] in ([], [path.name])
    return caught.value.diagnostics[0].code


def test_comments_and_formatting_stay(path: Path) -> None:
    edit_config(path, "gateway.mode", "demo")
    assert path.read_text() == TEXT.replace('mode = "paper" # why', 'mode = "demo" # why')


def test_new_keys_entries_and_references(path: Path) -> None:
    edit_config(path, "plugins.slots.memory", ["a", "none"])
    edit_config(path, "plugins.entries.metaapi-mcp.enabled", value=False)
    edit_config(path, ("plugins", "entries", "a.b", "config", "x"), {"y": [1, {"z": True}]})
    edit_config(path, TOKEN, {"keyring": "metaapi"})
    plugins = load_config(path, environ={}).plugins
    assert plugins.slots["memory"] == ("a", "none")
    assert plugins.entries["metaapi-mcp"].enabled is False
    assert plugins.entries["metaapi-mcp"].config["token"] == {"keyring": "metaapi"}
    assert plugins.entries["a.b"].config["x"]["y"] == (1, {"z": True})
    for comment in ("# top", "# the gateway", "# why", "# none", "# kept elsewhere", "# mine"):
        assert comment in path.read_text()


def test_a_removed_key_is_gone_and_a_missing_one_changes_nothing(path: Path) -> None:
    edit_config(path, "plugins.entries.metaapi-mcp", UNSET)
    assert load_config(path, environ={}).plugins.entries == {}
    before = path.stat()
    assert not edit_config(path, "plugins.entries.other.enabled", UNSET).changes
    assert not edit_config(path, "gateway.mode", "paper").changes
    assert path.stat().st_ino == before.st_ino


def test_a_missing_file_is_made_with_a_header_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "gatehook.toml"
    edit_config(path, "gateway.mode", "demo")
    assert path.read_text().startswith("# The configuration of Gatehook.")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_config(path, environ={}).gateway.mode == "demo"


def test_the_mode_bits_stay_and_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "etc" / "gatehook.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    edit_config(link, "gateway.mode", "demo")
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert 'mode = "demo"' in path.read_text()


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(path: Path) -> None:
    edit = plan_edit(path, "gateway.mode", "demo")
    assert path.read_text() == TEXT
    path.write_text(TEXT + "# theirs\n")
    with pytest.raises(GatehookError) as caught:
        edit.write()
    assert caught.value.diagnostics[0].code == "config.file-changed"
    assert path.read_text() == TEXT + "# theirs\n"


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("gateway.mode", "liv", "config.bad-value"),
        ("gateway.mod", "live", "config.unknown-key"),
        ("plugins.allow", "x", "config.wrong-type"),
        ("gateway.mode.x", 1, "config.bad-override"),
        ("a b", 1, "config.bad-override"),
        ("", 1, "config.bad-override"),
        (TOKEN, CANARY, "secrets.in-clear"),
        ("plugins.entries.metaapi-mcp.config", {"deep": [{"apiKey": CANARY}]}, "secrets.in-clear"),
        ("plugins.entries.metaapi-mcp", {"config": {"password": CANARY}}, "secrets.in-clear"),
        ("plugins.entries.metaapi-mcp.config.x", None, "config.not-written"),
    ],
)
def test_what_would_not_be_valid_is_refused(path: Path, key: str, value: Any, code: str) -> None:
    assert refused(path, key, value) == code


def test_the_plugin_s_schema_decides_too(path: Path) -> None:
    schema = {"properties": {"pass": {"writeOnly": True}, "size": {"type": "integer"}}}
    entry = "plugins.entries.metaapi-mcp.config"
    assert refused(path, f"{entry}.pass", CANARY, schemas={"metaapi-mcp": schema}) == "secrets.in-clear"
    assert refused(path, f"{entry}.size", "x", schemas={"metaapi-mcp": schema}) == "config.invalid-entry"
    edit_config(path, f"{entry}.size", 3, schemas={"metaapi-mcp": schema})


def test_a_file_that_is_invalid_can_be_mended_by_an_edit(path: Path) -> None:
    path.write_text("[gateway]\nmod = 1\n")
    assert refused(path, "gateway.mode", "demo") == "config.unknown-key"
    edit_config(path, "gateway.mod", UNSET)
    assert load_config(path, environ={}).gateway.mode == "paper"


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
def test_fault_18_a_failure_at_any_step_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if call == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(os, call, full)
    assert refused(path, "gateway.mode", "demo") == "config.not-written"


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.text(min_size=1, max_size=6), VALUES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_value_is_written_as_it_is_or_refused_with_a_code(path: Path, name: str, value: Any) -> None:
    path.write_text(TEXT)
    key = ("plugins", "entries", "metaapi-mcp", "config", name)
    try:
        edit_config(path, key, value)
    except GatehookError as error:
        codes = {one.code for one in error.diagnostics}
    else:
        codes = set()
        assert tomllib.loads(path.read_text())["plugins"]["entries"]["metaapi-mcp"]["config"][name] == value
    assert codes <= {"config.not-json", "config.not-written", "secrets.in-clear", "config.too-large"}
    assert codes == set() or path.read_text() == TEXT

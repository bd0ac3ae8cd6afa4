"""The file, the environment and --set over each other, and where each value came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatehook.config import Layer
from gatehook.config import config_from
from gatehook.config import find_config
from gatehook.config import load_config
from gatehook.config import user_config_file
from gatehook.diagnostics import GatehookError

MEMORY = "GATEHOOK__PLUGINS__SLOTS__MEMORY"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def write(directory: Path, text: str) -> Path:
    path = directory / "gatehook.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_without_any_file_everything_has_its_default(tmp_path: Path) -> None:
    config = load_config(cwd=tmp_path, environ={})
    assert config.path is None
    assert config.gateway.mode == "paper"
    assert config.supervision.start_timeout == 30.0
    assert [layer.layer for layer in config.layers] == [Layer.DEFAULTS]


def test_the_working_directory_comes_before_the_user(tmp_path: Path) -> None:
    write(user_config_file().parent, '[gateway]\nmode = "demo"\n')
    assert load_config(cwd=tmp_path, environ={}).gateway.mode == "demo"
    here = write(tmp_path, '[gateway]\nmode = "live"\n')
    assert find_config(tmp_path) == here
    assert load_config(cwd=tmp_path, environ={}).gateway.mode == "live"


def test_each_layer_wins_over_the_one_below(tmp_path: Path) -> None:
    write(tmp_path, '[plugins.slots]\nmemory = "from_file"\n')
    environ = {MEMORY: "from_env"}
    assert load_config(cwd=tmp_path, environ={}).plugins.slots["memory"] == "from_file"
    assert load_config(cwd=tmp_path, environ=environ).plugins.slots["memory"] == "from_env"
    both = load_config(cwd=tmp_path, environ=environ, sets=["plugins.slots.memory=from_set"])
    assert both.plugins.slots["memory"] == "from_set"
    assert [str(layer) for layer in both.layers] == [
        "defaults",
        str(tmp_path / "gatehook.toml"),
        f"environment {MEMORY}",
        "--set plugins.slots.memory",
    ]


def test_values_are_toml_and_else_strings(tmp_path: Path) -> None:
    sets = [
        'plugins.slots.memory=["a", "none"]',
        "plugins.enabled=false",
        "supervision.call_timeout=3",
        "plugins.entries.x.config.a=1\nb = 2",
        "plugins.entries.x.config.b={ env = 'X' }",
        "plugins.entries.x.config.c=x=y",
    ]
    config = load_config(cwd=tmp_path, environ={}, sets=sets)
    assert config.plugins.slots["memory"] == ("a", "none")
    assert config.plugins.enabled is False
    assert config.supervision.call_timeout == 3.0
    assert config.plugins.entries["x"].config == {"a": "1\nb = 2", "b": {"env": "X"}, "c": "x=y"}


def test_a_quoted_part_of_a_key_may_have_dots(tmp_path: Path) -> None:
    config = load_config(cwd=tmp_path, environ={}, sets=['plugins.entries."my.entry".enabled=false'])
    assert config.plugins.entries["my.entry"].enabled is False


def test_the_environment_may_spell_ids_with_underscores(tmp_path: Path) -> None:
    write(
        tmp_path,
        "[plugins.entries.metaapi-mcp.config]\nallowedAccounts = []\n[plugins.entries.'a.b']\nenabled = true\n",
    )
    environ = {
        "GATEHOOK__PLUGINS__ENTRIES__METAAPI_MCP__CONFIG__ALLOWEDACCOUNTS": '["demo-1"]',
        "GATEHOOK__PLUGINS__ENTRIES__METAAPI_MCP__CONFIG__inventedHere": "1",
        "GATEHOOK__PLUGINS__ENTRIES__A_B__ENABLED": "false",
        "GATEHOOK__SUPERVISION__START_TIMEOUT": "7",
        "GATEHOOK_UNRELATED": "x",
    }
    config = load_config(cwd=tmp_path, environ=environ)
    assert config.plugins.entries["metaapi-mcp"].config == {"allowedAccounts": ("demo-1",), "inventedHere": 1}
    assert config.plugins.entries["a.b"].enabled is False
    assert config.supervision.start_timeout == 7.0


def test_a_higher_layer_replaces_a_reference_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, '[plugins.entries.x.config]\ntoken = { env = "A" }\n')
    config = load_config(cwd=tmp_path, environ={}, sets=['plugins.entries.x.config.token={ file = "b" }'])
    assert config.plugins.entries["x"].config == {"token": {"file": "b"}}


def test_paths_in_a_file_are_relative_to_it_and_others_to_the_working_directory(tmp_path: Path) -> None:
    path = write(tmp_path / "etc", '[gateway]\ndata_dir = "data"\n[plugins]\npaths = ["mine", "/abs", "~/home"]\n')
    config = load_config(path, cwd=tmp_path, environ={}, sets=["plugins.blocklist=block.json"])
    assert config.gateway.data_dir == tmp_path / "etc/data"
    assert config.plugins.paths == (tmp_path / "etc/mine", Path("/abs"), Path.home() / "home")
    assert config.plugins.blocklist == tmp_path / "block.json"


def test_an_entry_knows_the_lines_of_its_configuration(tmp_path: Path) -> None:
    path = write(tmp_path, "[plugins.entries.x.config]\na = 1\nb = [\n  2,\n  { c = 3 },\n]\n")
    config = load_config(path, environ={}, sets=["plugins.entries.x.config.d=4"])
    entry = config.plugins.entries["x"]
    assert entry.line_of("/a") == (path, 2)
    assert entry.line_of("/b/1/c") == (path, 5)
    assert entry.line_of("/b/1/missing") == (path, 5)
    assert entry.line_of("/missing") == (path, 1)
    assert entry.line_of("/d") == (None, None)


def test_a_program_passes_a_mapping_of_the_same_shape(tmp_path: Path) -> None:
    config = config_from({"gateway": {"data_dir": tmp_path}, "plugins": {"paths": (tmp_path,), "entries": {"x": {}}}})
    assert config.gateway.data_dir == tmp_path
    assert config.plugins.paths == (tmp_path,)
    assert config.plugins.entries["x"].plugin_id == "x"
    assert config.explain("gateway.data_dir").layer is Layer.PROGRAM
    assert config.explain("gateway.mode").layer is Layer.DEFAULTS


def test_a_program_s_mapping_does_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY, "none")
    assert config_from({}).plugins.slots == {}
    assert config_from({}, environ={MEMORY: "none"}).plugins.slots == {"memory": "none"}


def test_the_configuration_cannot_be_changed_afterwards() -> None:
    config = config_from({"plugins": {"entries": {"x": {"config": {"a": {"b": [1]}}}}}})
    with pytest.raises(TypeError):
        config.plugins.entries["x"].config["a"]["b"] = 2  # type: ignore[index]
    assert config.plugins.entries["x"].config["a"]["b"] == (1,)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[gateway]\nmode = "liv"\ndata_dirr = "x"\n[plugins]\nallow = "abc"\n[supervision]\nstart_timeout = 0\n',
    )
    with pytest.raises(GatehookError) as caught:
        load_config(path, environ={"GATEHOOK__GATEWAY__MODEE": "x"}, sets=["oops", "plugins.allow.x=1"])
    said = [(one.code, one.line, one.origin) for one in caught.value.diagnostics]
    assert said == [
        ("config.bad-override", None, None),
        ("config.bad-override", None, None),
        ("config.unknown-key", 3, None),
        ("config.unknown-key", None, "environment GATEHOOK__GATEWAY__MODEE"),
        ("config.bad-value", 2, None),
        ("config.wrong-type", 5, None),
        ("config.bad-value", 7, None),
    ]
    assert 'did you mean "live"?' in caught.value.diagnostics[4].message
    assert 'did you mean "data_dir"?' in caught.value.diagnostics[2].message

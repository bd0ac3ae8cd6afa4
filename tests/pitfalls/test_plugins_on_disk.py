"""Broken, hostile and rival plugins on disk, through a host: the others run, and each is said once."""

from __future__ import annotations

import json
import logging
import os
import sys

import pytest

from gatehook.catalog import Places
from gatehook.host import PluginHost
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin

pytestmark = pytest.mark.anyio


async def started(plugin_host, good, *bad, **options):
    """Start and stop a host; the good plugin was active. Returns the host."""
    async with plugin_host(paths=[*bad, good], **options) as host:
        assert state_of(host, "good") == "active", host.diagnostics
    return host


@pytest.fixture
def good(plugin_dir):
    return plugin_dir("good", QUOTES)


def about(host, *wanted):
    return [one for one in host.diagnostics if one.code in wanted]


async def test_regression_01_a_writable_plugin_is_blocked_and_never_called_missing(plugin_host, plugin_dir, good):
    mine = plugin_dir("mine", QUOTES)
    mine.chmod(0o777)
    host = await started(plugin_host, good, mine, config={"plugins": {"entries": {"mine": {}}}})
    assert host.plan.decision("mine").status == "blocked"
    [said] = about(host, "plugins.writable-by-others")
    assert f"chmod o-w {mine}" in said.remedy
    assert "entry.unknown-plugin" not in codes(host)
    [entry] = about(host, "entry.plugin-not-admitted")
    assert "chmod o-w" in entry.remedy


async def test_regression_02_a_plugin_by_two_names_runs_once_without_a_word(plugin_host, good, tmp_path):
    (tmp_path / "second").symlink_to(good)
    host = await started(plugin_host, good, tmp_path / "second")
    assert [one.id for one in host.plan.candidates] == ["good"]
    assert set(codes(host)) == {"plugins.dev", "slots.emptied"}


async def test_regression_03_a_copy_of_a_built_in_is_shadowed_and_said_once_over_many_starts(
    plugin_host, plugin_dir, good, caplog
):
    caplog.set_level(logging.INFO, "gatehook.host")
    copy = plugin_dir("simulated", "raise SystemExit('the copy ran')\n")
    for _ in range(3):
        caplog.clear()
        async with plugin_host(paths=[copy, good], builtin=True) as host:
            assert state_of(host, "simulated") == "active"
            await host.restart("simulated")
            assert codes(host).count("plugins.shadowed") == 1
            assert caplog.text.count("plugins.shadowed") == 1


async def test_regression_05_the_built_in_memory_is_not_imported_when_it_lost_its_slot(plugin_host, plugin_dir):
    notes = plugin_dir("notes", MEMORY, kinds=[MEMORY_KIND])
    before = set(sys.modules)
    async with plugin_host(paths=[notes], builtin=True, config={"plugins": {"slots": {"memory": "notes"}}}) as host:
        assert host.slot("memory") == "notes"
        assert not [name for name in set(sys.modules) - before if "sqlite_fts" in name]


async def test_regression_13_a_manifest_over_the_cap_is_said_with_its_own_code_and_never_read(
    plugin_host, plugin_dir, good
):
    huge = plugin_dir("huge", QUOTES)
    with (huge / "plugin.json").open("r+b") as file:
        file.truncate(100 * 1024 * 1024)
    host = await started(plugin_host, good, huge)
    assert [one.path for one in about(host, "manifest.too-large")] == [huge / "plugin.json"]


DEEP = "[" * 10_000
NO_JSON = {
    "broken": ('{"id": "bad",\n', "manifest.not-json"),
    "bom": ("\ufeff{}", "manifest.not-utf8"),
    "deep": ('{"x-a": ' + DEEP, "manifest.too-deep"),
    "twice": ('{"id": "bad", "id": "bad"}', "manifest.duplicate-key"),
    "nan": ('{"x-a": NaN}', "manifest.not-finite"),
    "half": ('{"x-a": "\\ud800"}', "manifest.lone-surrogate"),
}


async def test_fault_01_six_files_that_are_no_json_and_one_plugin_that_runs(plugin_host, plugin_dir, good):
    bad = []
    for name, (text, _) in NO_JSON.items():
        bad.append(plugin_dir(name, QUOTES))
        (bad[-1] / "plugin.json").write_text(text)
    host = await started(plugin_host, good, *bad)
    found = {one.path.parent.name: (one.code, one.line) for one in host.diagnostics if one.code.startswith("manifest.")}
    assert {name: code for name, (code, _) in found.items()} == {name: code for name, (_, code) in NO_JSON.items()}
    assert all(line is not None for _, line in found.values())


@pytest.mark.parametrize(
    "plugin_id", ["../x", "a\0b", "a\u202eb", "a\u200bb", "\u0430dmin", "Good", "x" * 300], ids=ascii
)
async def test_fault_02_an_id_that_is_none_is_refused(plugin_host, plugin_dir, good, plugin_id):
    bad = plugin_dir("bad", QUOTES)
    manifest = json.loads((bad / "plugin.json").read_text())
    (bad / "plugin.json").write_text(json.dumps({**manifest, "id": plugin_id}))
    host = await started(plugin_host, good, bad)
    [said] = about(host, "manifest.bad-id")
    assert said.message.isprintable()


async def test_fault_02_a_look_alike_of_another_id_is_a_duplicate(plugin_host, plugin_dir, good):
    host = await started(plugin_host, good, plugin_dir("look-alike", QUOTES), plugin_dir("look_alike", QUOTES))
    assert codes(host).count("plugins.duplicate-id") == 2


async def test_fault_03_the_earlier_origin_runs_and_the_later_is_listed(tmp_path):
    for origin in ("builtin", "user", "config"):
        write_plugin(tmp_path / origin, "same", QUOTES)
    places = Places(builtin=tmp_path / "builtin", user=tmp_path / "user", config=(tmp_path / "config",))
    config = {"gateway": {"data_dir": str(tmp_path / "data")}, "plugins": {"slots": {"memory": "none"}}}
    async with PluginHost.from_config(config, places=places) as host:
        assert state_of(host, "same") == "active"
        found = [(str(one.candidate.origin), str(one.status)) for one in host.plan.decisions]
        assert found == [("builtin", "admitted"), ("user", "shadowed"), ("config", "shadowed")]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", ["absolute", "above", "link", "missing", "directory", "pipe"])
async def test_fault_04_a_module_that_is_no_file_of_the_plugin_is_refused_at_the_scan(
    plugin_host, plugin_dir, good, tmp_path, what
):
    outside = tmp_path / "outside.py"
    outside.write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    module = {"absolute": str(outside), "above": "../../outside.py"}.get(what, "main.py")
    bad = plugin_dir("bad", QUOTES, entry={"type": "python.module", "module": module})
    make = {
        "link": lambda path: path.symlink_to(outside),
        "directory": lambda path: path.mkdir(),
        "pipe": os.mkfifo,
    }.get(what, lambda path: None)
    make(bad / "main.py")
    host = await started(plugin_host, good, bad)
    assert host.plan.decision("bad").status == "invalid"
    assert not (tmp_path / "ran").exists()


async def test_fault_06_deny_wins_over_allow_and_nothing_is_imported(plugin_host, plugin_dir, good, tmp_path):
    both = plugin_dir("both", f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    config = {"plugins": {"deny": ["both"], "allow": ["both", "good"]}}
    host = await started(plugin_host, good, both, config=config)
    assert host.plan.decision("both").cause == "plugins.denied"
    assert not (tmp_path / "ran").exists()


def doubling(levels):
    return {"anyOf": [{"$ref": f"#/$defs/{levels}"}] * 2}


BOMBS = {
    "loop": {
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "properties": {"x": {"$ref": "#/$defs/a"}},
    },
    "doubling": {"$defs": {str(n): doubling(n - 1) if n else {} for n in range(60)}, "properties": {"x": doubling(59)}},
    "pattern": {"properties": {"x": {"type": "string", "pattern": "(((a{0,999}){0,999}){0,999}){0,999}"}}},
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("bomb", BOMBS)
async def test_fault_07_a_schema_bomb_costs_its_own_plugin_only(plugin_host, plugin_dir, good, bomb):
    bad = plugin_dir("bad", QUOTES, configSchema={"type": "object", **BOMBS[bomb]})
    config = {"plugins": {"entries": {"bad": {"config": {"x": "a" * 5000 + "!"}}}}}
    host = await started(plugin_host, good, bad, config=config)
    assert host.plan.decision("bad").status == "invalid"


@pytest.mark.timeout(30)
async def test_fault_07_a_pattern_of_exponential_time_is_matched_in_linear_time(plugin_host, plugin_dir, good):
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    bad = plugin_dir("bad", QUOTES, configSchema=schema)
    config = {"plugins": {"entries": {"bad": {"config": {"x": "a" * 5000 + "!"}}}}}
    host = await started(plugin_host, good, bad, config=config)
    assert "config.invalid-entry" in codes(host)


@pytest.mark.parametrize(
    "source",
    [
        "x = (\n",
        "import gatehook_no_such\n",
        "raise SystemExit(3)\n",
        "raise KeyboardInterrupt\n",
        "raise GeneratorExit\n",
    ],
)
async def test_fault_08_whatever_a_module_raises_at_import_fails_its_own_plugin(plugin_host, plugin_dir, good, source):
    bad = plugin_dir("bad", source)
    async with plugin_host(paths=[bad, good]) as host:
        assert (state_of(host, "bad"), state_of(host, "good")) == ("failed", "active")
        [said] = about(host, "runtime.import-failed")
        assert (said.plugin, said.path, said.line) == ("bad", bad / "plugin.py", 1)
        assert any("bad" in reason for reason in host.health().reasons)

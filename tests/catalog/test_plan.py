"""The whole control plane: from directories and configuration to a plan, with no plugin code run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gatehook.catalog import AdmissionStatus
from gatehook.catalog import ConsentStore
from gatehook.catalog import Plan
from gatehook.catalog import make_plan
from gatehook.catalog import requirements
from gatehook.catalog import write_lock
from gatehook.config import config_from
from gatehook.config import parse_config
from tests.catalog.conftest import SENTINEL
from tests.catalog.test_manifest import METAAPI


def statuses(plan: Plan) -> dict[str, str]:
    return {f"{one.candidate.origin}:{one.candidate.id}": str(one.status) for one in plan.decisions}


def kinds(plan: Plan) -> dict[tuple[str, str | None], str]:
    return {(one.entry_id, one.kind and str(one.kind)): str(one.status) for one in plan.activations}


def codes(plan: Plan) -> set[str]:
    return {one.code for one in plan.diagnostics}


MEMORY = {"kinds": ["memory.backend"]}


@pytest.fixture
def sentinel(tmp_path) -> Path:
    return tmp_path / "sentinel"


@pytest.fixture
def spy(sentinel) -> str:
    """The text of a module that must not run."""
    return SENTINEL.format(path=str(sentinel))


def test_the_manifest_of_the_specification_takes_part_where_the_sdk_is(tmp_path, make_plugin, plan_for, monkeypatch):
    make_plugin(tmp_path / "builtin" / "metaapi_mcp", text=METAAPI.decode())
    plan = plan_for({"entries": {"metaapi-mcp": {"config": {"token": "x" * 8}}}})
    assert {*kinds(plan).values()} == {"active"}
    monkeypatch.setattr(requirements, "SDK", "no_such_sdk")
    plan = plan_for({"entries": {"metaapi-mcp": {"config": {"token": "x" * 8}}}})
    decision = plan.decision("metaapi-mcp")
    assert (decision.status, decision.cause) == (AdmissionStatus.INCOMPATIBLE, "requires.packages")
    assert "no_such_sdk (not installed)" in decision.sentence
    assert kinds(plan) == {
        ("metaapi-mcp", "connector.broker"): "unmet",
        ("metaapi-mcp", "connector.marketData"): "unmet",
    }


def test_the_plan_of_what_ships(tmp_path):
    plan = make_plan(config_from({"gateway": {"data_dir": str(tmp_path)}}), no_plugins=True)
    assert {one.candidate.id for one in plan.decisions} == {
        "hybrid_embeddings",
        "metaapi-mcp",
        "paper",
        "postgres",
        "replay",
        "simulated",
        "sqlite_fts",
        "tantivy",
    }
    assert {one.status for one in plan.decisions} == {AdmissionStatus.ADMITTED}
    assert kinds(plan)["replay", "connector.marketData"] == "needs-config"
    assert kinds(plan)["paper", "connector.broker"] == "active"
    assert [(use.entry, str(use.kind)) for use in plan.entry("paper").uses] == [("simulated", "connector.marketData")]
    assert plan.slot("memory").winner == "sqlite_fts"
    assert "plugins.safe-mode" in codes(plan)
    with pytest.raises(KeyError):
        plan.slot("nothing")


def test_the_plan_is_printable(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    make_plugin(tmp_path / "user" / "one", "one")
    printed = json.loads(json.dumps(plan_for({"entries": {"one": {}, "two": {"plugin": "gone"}}}).to_json()))
    assert printed["schemaVersion"] == 1
    first, second = printed["plugins"]
    assert (first["id"], first["status"], first["path"]) == ("one", "admitted", str(tmp_path / "builtin" / "one"))
    assert (second["status"], second["cause"], second["rivals"][0]["origin"]) == (
        "shadowed",
        "plugins.shadowed",
        "builtin",
    )
    assert second["sentence"]
    assert second["remedy"]
    assert [(one["id"], one["implied"], one["kinds"][0]["status"]) for one in printed["entries"]] == [
        ("one", False, "active"),
        ("two", False, "unmet"),
    ]
    assert printed["slots"][0]["down"] is True
    assert {one["code"] for one in printed["diagnostics"]} >= {"plugins.shadowed", "slots.down", "entry.unknown-plugin"}


def test_regression_03_a_user_copy_of_a_built_in_is_shadowed_in_one_record(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    make_plugin(tmp_path / "user" / "one", "one")
    for _ in range(3):
        plan = plan_for()
        assert statuses(plan) == {"builtin:one": "admitted", "user:one": "shadowed"}
        assert [one.code for one in plan.diagnostics].count("plugins.shadowed") == 1


def test_regression_04_workspace_plugin_without_consent_is_never_imported(
    tmp_path, make_plugin, plan_for, sentinel, spy
):
    make_plugin(tmp_path / "workspace" / "mine", "mine", module=spy)
    plan = plan_for({"entries": {"mine": {}}})
    assert statuses(plan) == {"workspace:mine": "needs-consent"}
    assert kinds(plan) == {("mine", "connector.broker"): "unmet"}
    assert not sentinel.exists()


def test_consent_admits_until_the_tree_changes(tmp_path, make_plugin, plan_for):
    root = make_plugin(tmp_path / "workspace" / "mine", "mine")
    store = ConsentStore(tmp_path / "data" / "consent.json")
    store.grant(plan_for().decision("mine").candidate)
    granted = plan_for().decision("mine")
    assert (granted.cause, set(granted.tree.files)) == ("consent", {"plugin.json", "plugin.py"})
    (root / "plugin.py").write_text("x = 1")
    assert plan_for().decision("mine").cause == "consent.changed"


def test_fault_38_a_corrupt_consent_record_is_no_consent_and_no_crash(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "workspace" / "mine", "mine")
    ConsentStore(tmp_path / "data" / "consent.json").grant(plan_for().decision("mine").candidate)
    (tmp_path / "data" / "consent.json").write_text("{")
    plan = plan_for()
    assert statuses(plan) == {"workspace:mine": "needs-consent"}
    assert "consent.store-unreadable" in codes(plan)


def test_regression_05_a_slot_loser_is_planned_as_inactive(tmp_path, make_plugin, plan_for, sentinel, spy):
    make_plugin(tmp_path / "builtin" / "a", "a", module=spy, **MEMORY)
    make_plugin(tmp_path / "builtin" / "b", "b", **MEMORY)
    plan = plan_for({"slots": {"memory": "b"}})
    assert kinds(plan) == {("a", "memory.backend"): "inactive", ("b", "memory.backend"): "active"}
    assert not sentinel.exists()


def test_regression_07_a_slot_there_and_back_keeps_configuration_and_switches(tmp_path, make_plugin, plan_for):
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    for name in ("a", "b"):
        make_plugin(tmp_path / "builtin" / name, name, configSchema=schema, **MEMORY)
    entries = {"a": {"config": {"path": "x"}}, "b": {"enabled": False}}
    plans = [plan_for({"slots": {"memory": slot}, "entries": entries}) for slot in ("a", "b", "a")]
    assert plans[0].entries == plans[1].entries == plans[2].entries
    assert [plan.slot("memory").winner for plan in plans] == ["a", None, "a"]


def test_regression_12_a_bad_schema_fails_only_its_own_plugin(tmp_path, make_plugin, plan_for):
    bad = {"type": "object", "properties": {"a": {"type": "string", "minLength": "three"}}}
    make_plugin(tmp_path / "builtin" / "bad", "bad", configSchema=bad)
    make_plugin(tmp_path / "builtin" / "good", "good")
    plan = plan_for({"entries": {"bad": {"config": {"a": "x"}}}})
    assert statuses(plan) == {"builtin:bad": "invalid", "builtin:good": "admitted"}
    assert kinds(plan)["good", "connector.broker"] == "active"
    assert kinds(plan)["bad", "connector.broker"] == "unmet"
    assert plan.decision("bad").cause == "config.schema-invalid"


def test_a_thorough_plan_lints_also_what_does_not_take_part(tmp_path, make_plugin, plan_for):
    bad = {"properties": {"a": {"minLength": "three"}}}
    make_plugin(tmp_path / "workspace" / "bad", "bad", configSchema=bad)
    assert statuses(plan_for()) == {"workspace:bad": "needs-consent"}
    assert statuses(plan_for(thorough=True)) == {"workspace:bad": "invalid"}


def test_regression_11_one_invalid_configuration_leaves_the_others(tmp_path, make_plugin, plan_for):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    make_plugin(tmp_path / "builtin" / "one", "one", configSchema=schema)
    plan = plan_for(
        {"entries": {"good": {"plugin": "one", "config": {"n": 1}}, "bad": {"plugin": "one", "config": {"n": "x"}}}}
    )
    assert kinds(plan) == {("good", "connector.broker"): "active", ("bad", "connector.broker"): "needs-config"}


def test_what_a_plugin_needs_is_said_when_nothing_is_configured(tmp_path, make_plugin, plan_for):
    schema = {"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]}
    make_plugin(tmp_path / "builtin" / "one", "one", configSchema=schema)
    make_plugin(tmp_path / "builtin" / "two", "two", configSchema={**schema, "minProperties": 1})
    (one, two) = plan_for().activations
    assert (one.cause, two.cause) == ("config.needs-config", "config.needs-config")
    assert "token" in one.sentence


def test_regression_19_a_secret_in_a_configuration_is_nowhere_in_the_plan(tmp_path, make_plugin, plan_for):
    schema = {
        "type": "object",
        "properties": {
            "token": {"type": "integer", "writeOnly": True},
            "other": {"type": "string", "format": "password"},
        },
        "additionalProperties": False,
    }
    make_plugin(tmp_path / "builtin" / "one", "one", configSchema=schema)
    plan = plan_for({"entries": {"one": {"config": {"token": "canary-4711", "other": 5, "canary": "canary-4711"}}}})
    assert kinds(plan) == {("one", "connector.broker"): "needs-config"}
    assert "canary-4711" not in json.dumps(plan.to_json())
    assert "canary-4711" not in repr(plan)


def test_regression_22_every_name_that_leads_nowhere_is_reported(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "paper", "paper")
    plan = plan_for(
        {
            "allow": ["gone-allow"],
            "deny": ["gone-deny"],
            "paths": [str(tmp_path / "gone-path")],
            "overrides": {"gone-override": "user", "paper": "user"},
            "slots": {"memory": "gone-slot"},
            "entries": {"gone-entry": {}, "x": {"plugin": "gone-plugin"}},
        }
    )
    said = " ".join(one.message for one in plan.diagnostics)
    for name in ("allow", "deny", "path", "override", "slot", "entry", "plugin"):
        assert f"gone-{name}" in said
    assert {"plugins.unknown-override", "slots.down", "entry.unknown-plugin"} <= codes(plan)


def test_names_that_lead_nowhere_are_placed_in_the_file(tmp_path):
    text = (
        f'[gateway]\ndata_dir = "{tmp_path}"\n[plugins.overrides]\npaper = "user"\n[plugins.slots]\nmemory = "paper"\n'
    )
    file = tmp_path / "gatehook.toml"
    plan = make_plan(parse_config(text.encode(), file), no_plugins=False)
    placed = {one.code: (one.path, one.line) for one in plan.diagnostics}
    assert placed["plugins.unknown-override"] == (file, 4)
    assert placed["slots.wrong-kind"] == (file, 6)


def test_slots_that_are_wrong(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "a", "a", **MEMORY)
    make_plugin(tmp_path / "builtin" / "b", "b")
    assert {"slots.wrong-kind", "slots.down"} <= codes(plan_for({"slots": {"memory": "b"}}))
    assert "slots.fallback" in codes(plan_for({"slots": {"memory": ["b", "a"]}}))
    assert "slots.emptied" in codes(plan_for({"slots": {"memory": "none"}}))
    down = next(one for one in plan_for().diagnostics if one.code == "slots.down")
    assert "Entries that would fit: a." in down.remedy


def test_an_override_gives_the_id_to_another_and_trust_is_not_inherited(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    user = make_plugin(tmp_path / "user" / "one", "one")
    for choice in ("user", str(user)):
        plan = plan_for({"overrides": {"one": choice}})
        assert statuses(plan) == {"builtin:one": "shadowed", "user:one": "needs-consent"}


def test_a_dev_path_runs_without_consent_in_paper_mode_only(tmp_path, make_plugin, plan_for):
    root = make_plugin(tmp_path / "mine", "mine")
    plan = plan_for(places={"dev": (root,)})
    assert plan.decision("mine").cause == "dev"
    assert "plugins.dev" in codes(plan)
    assert plan_for(places={"dev": (root,)}, mode="demo").decision("mine").cause == "consent.dev-paper-only"


def test_safe_mode_looks_at_nothing_but_what_ships(tmp_path, make_plugin):
    mine = make_plugin(tmp_path / "mine", "mine")
    builtin = tmp_path / "builtin"
    make_plugin(builtin / "one", "one")
    config = config_from({"gateway": {"data_dir": str(tmp_path)}, "plugins": {"paths": [str(mine)], "allow": ["mine"]}})
    assert "config:mine" in statuses(make_plan(config, builtin_dir=builtin))
    assert statuses(make_plan(config, builtin_dir=builtin, no_plugins=True)) == {"builtin:one": "admitted"}
    assert "config:mine" in statuses(make_plan(config, builtin_dir=builtin, dev=[mine]))


def test_plugins_that_are_off_have_no_entries(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    plan = plan_for({"enabled": False})
    assert statuses(plan) == {"builtin:one": "denied"}
    assert plan.entries == ()


def test_an_embedded_plugin_goes_through_the_same_admission(plan_for):
    thing = object()
    manifest = {"id": "mine", "name": "Mine", "version": "1", "kinds": ["connector.broker"]}
    plan = plan_for(embedded=[(manifest, thing), ({"id": "bad"}, thing)])
    assert statuses(plan) == {"embedded:mine": "admitted", "embedded:bad": "invalid"}
    assert plan.decision("mine").candidate.embedded is thing
    assert plan.entry("mine").implied
    assert plan.decision("MINE") is plan.decision("mine")
    assert plan.decision("other") is None
    assert statuses(plan_for({"deny": ["mine"]}, embedded=[(manifest, thing)])) == {"embedded:mine": "denied"}


def test_two_entries_may_use_one_plugin_and_none_is_implied_beside_them(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    make_plugin(tmp_path / "builtin" / "two", "two")
    plan = plan_for({"entries": {"x": {"plugin": "one"}, "y": {"plugin": "one"}, "two": {"plugin": "one"}}})
    assert [one.entry_id for one in plan.entries] == ["x", "y", "two"]
    assert "entry.id-taken" in codes(plan)


def test_the_lock_admits_what_it_recorded_and_nothing_else(tmp_path, make_plugin, plan_for, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = make_plugin(tmp_path / "builtin" / "one", "one")
    write_lock(plan_for(), tmp_path / "gatehook.lock")
    assert statuses(plan_for(locked=True)) == {"builtin:one": "admitted"}
    make_plugin(tmp_path / "builtin" / "two", "two")
    (one / "plugin.py").write_text("x = 1")
    plan = plan_for({"locked": True})
    assert [found.cause for found in plan.decisions] == ["lock.differs", "lock.missing"]
    (one / "link").symlink_to("/etc/passwd")
    assert plan_for(locked=True).decision("one").cause == "lock.differs"
    (one / "plugin.json").unlink()
    assert "lock.absent" in codes(plan_for(locked=True))


def test_locked_without_a_lock_runs_nothing(tmp_path, make_plugin, plan_for, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_plugin(tmp_path / "builtin" / "one", "one")
    plan = plan_for(locked=True)
    assert statuses(plan) == {"builtin:one": "not-locked"}
    assert "lock.unreadable" in codes(plan)


def test_the_block_list_refuses_what_it_names_and_an_unreadable_one_all_from_outside(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    make_plugin(tmp_path / "user" / "two", "two")
    file = tmp_path / "list.json"
    file.write_text(
        json.dumps([{"id": "one", "firstGoodVersion": "0.2", "reason": "loses orders", "link": "https://x"}])
    )
    plan = plan_for({"blocklist": str(file)})
    assert statuses(plan) == {"builtin:one": "blocklisted", "user:two": "needs-consent"}
    assert "loses orders (https://x)" in plan.decision("one").sentence
    file.unlink()
    assert statuses(plan_for({"blocklist": str(file)})) == {"builtin:one": "admitted", "user:two": "blocklisted"}


def test_required_packages_are_looked_up(tmp_path, make_plugin, plan_for):
    requires = ["attrs>=20", "attrs>=9999", "no-such-dist", 'no-such-dist; python_version < "3"']
    make_plugin(tmp_path / "builtin" / "one", "one", requires={"packages": requires})
    make_plugin(tmp_path / "builtin" / "two", "two", requires={"packages": requires[:1]})
    plan = plan_for()
    assert plan.decision("two").admitted
    assert plan.decision("one").cause == "requires.packages"
    assert "no-such-dist (not installed)" in plan.decision("one").sentence


@pytest.mark.parametrize(
    ("plugins", "severity"),
    [
        ({}, "info"),
        ({"entries": {"one": {}}}, "error"),
        ({"entries": {"other": {"plugin": "one"}}}, "error"),
        ({"slots": {"memory": "one"}}, "error"),
    ],
)
def test_a_package_that_a_built_in_plugin_lacks_is_an_error_only_where_the_plugin_is_asked_for(
    tmp_path, make_plugin, plan_for, plugins, severity
):
    make_plugin(tmp_path / "builtin" / "one", "one", requires={"packages": ["no-such-dist"]})
    found = [one for one in plan_for(plugins).diagnostics if one.code == "requires.packages"]
    assert [one.severity for one in found] == [severity]


def test_regression_25_a_cold_plan_of_fifty_plugins_imports_nothing_heavy_and_no_plugin(
    tmp_path, make_plugin, sentinel, spy
):
    schema = {"type": "object", "properties": {"token": {"type": "string", "writeOnly": True}}}
    for number in range(50):
        make_plugin(tmp_path / "builtin" / f"p{number}", f"p{number}", module=spy, configSchema=schema)
    program = (
        "import sys, pathlib\n"
        "from gatehook.catalog import Places, make_plan\n"
        "from gatehook.config import config_from\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "plan = make_plan(config_from({'gateway': {'data_dir': str(root)}}), places=Places(builtin=root / 'builtin'))\n"
        "plan.to_json()\n"
        "assert sum(one.admitted for one in plan.decisions) == 50\n"
        "heavy = {'mcp', 'pydantic', 'starlette', 'jsonschema', 'anyio', 'httpx2', 'rich', 'tomlkit', 'cattrs'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
    assert not sentinel.exists()

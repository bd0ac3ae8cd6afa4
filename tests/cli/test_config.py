"""The configuration on the command line."""

from __future__ import annotations

import json

import jsonschema

TEXT = """\
# the desk's own file
[gateway]
mode = "paper"  # nothing else yet

[plugins.entries.simulated.config]
seed = 7
"""


def test_check_is_quiet_about_a_good_file_and_names_the_line_of_a_bad_one(gatehook):
    gatehook.config.write_text(TEXT)
    assert gatehook("config", "check").code == 0
    gatehook.config.write_text(TEXT.replace("seed = 7", 'seed = "seven"'))
    answer = gatehook("config", "check", "--json")
    assert answer.code == 1
    (finding,) = [one for one in answer.json["findings"] if one["severity"] == "error"]
    assert (finding["code"], finding["line"]) == ("config.invalid-entry", 6)


def test_check_says_that_news_are_asked_of_an_entry_that_is_no_feed(gatehook):
    gatehook.config.write_text('[[memory.news]]\nfeed = "paper"\n')
    answer = gatehook("config", "check", "--json")
    assert answer.code == 1
    (finding,) = [one for one in answer.json["findings"] if one["severity"] == "error"]
    assert (finding["code"], finding["line"]) == ("news.no-feed", 2)


def test_an_unknown_key_is_an_error_with_the_nearest(gatehook):
    gatehook.config.write_text("[gateway]\nmoed = 'paper'\n")
    answer = gatehook("config", "show")
    assert answer.code == 1
    assert "did you mean" in answer.err
    assert f"{gatehook.config}:2" in answer.err


def test_get_prints_the_bare_value(gatehook):
    assert gatehook("config", "get", "gateway.mode").out == "paper\n"
    assert gatehook("config", "get", "plugins.allow", "--json").json["value"] == []


def test_set_keeps_comments_and_takes_toml_values(gatehook):
    gatehook.config.write_text(TEXT)
    assert gatehook("config", "set", "plugins.entries.simulated.config.seed", "8").code == 0
    assert gatehook.config.read_text() == TEXT.replace("seed = 7", "seed = 8")
    assert gatehook("config", "set", "plugins.entries.simulated.config.seed", "--unset").code == 0
    assert "# nothing else yet" in gatehook.config.read_text()


def test_set_writes_nothing_that_would_not_load(gatehook):
    gatehook.config.write_text(TEXT)
    answer = gatehook("config", "set", "gateway.mode", "papr")
    assert answer.code == 1
    assert gatehook.config.read_text() == TEXT


def test_set_can_be_tried(gatehook):
    gatehook.config.write_text(TEXT)
    answer = gatehook("config", "set", "logging.level", "debug", "--dry-run", "--json")
    assert answer.json["written"] is False
    assert gatehook.config.read_text() == TEXT


def test_explain_says_layer_line_and_restart(gatehook):
    gatehook.config.write_text(TEXT)
    found = gatehook("config", "explain", "gateway.mode", "--json").json
    assert (found["value"], found["path"], found["line"], found["restartNeeded"]) == (
        "paper",
        str(gatehook.config),
        3,
        True,
    )
    assert "--set" in gatehook("config", "explain", "logging.level", "--set", "logging.level=debug").out
    assert gatehook("config", "explain", "plugins.slots.memory", "--json").json["restartNeeded"] is False


def test_show_has_defaults_and_layers(gatehook):
    shown = gatehook("config", "show", "--set", "logging.files=3", "--json").json
    assert shown["config"]["logging"]["files"] == 3
    assert shown["config"]["plugins"]["slots"]["memory"] == "sqlite_fts"
    assert any("--set" in layer for layer in shown["layers"])


def test_the_schema_is_one_and_works_while_the_file_is_broken(gatehook):
    gatehook.config.write_text("this is no TOML")
    schema = json.loads(gatehook("config", "schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"gateway": {"mode": "paper"}}, schema)


def test_a_slot_is_switched_in_the_file_when_nothing_runs(gatehook):
    gatehook.config.write_text(TEXT)
    assert gatehook("slots", "use", "memory", "none").code == 0
    assert gatehook("slots", "list", "--json").json["slots"][0]["entry"] is None
    assert gatehook("slots", "use", "memory", "sqlite_fts").code == 0
    assert gatehook("slots", "list", "--json").json["slots"][0]["entry"] == "sqlite_fts"
    assert "# nothing else yet" in gatehook.config.read_text()


def test_a_slot_takes_only_what_fits(gatehook):
    answer = gatehook("slots", "use", "memory", "paper")
    assert answer.code == 1
    assert "sqlite_fts" in answer.err
    answer = gatehook("slots", "use", "memroy", "sqlite_fts")
    assert 'did you mean "memory"?' in answer.err

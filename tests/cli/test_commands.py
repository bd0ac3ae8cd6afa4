"""The table of commands, their help, and how misuse is answered."""

from __future__ import annotations

import json
from importlib import import_module

import click
import pytest

from gatehook.cli.commands import COMMANDS
from gatehook.cli.lazy import Subject


def all_commands():
    for name, entry in COMMANDS.items():
        if isinstance(entry, Subject):
            yield from ((f"{name} {inner}", lazy) for inner, lazy in entry.commands.items())
        else:
            yield name, entry


def load(lazy) -> click.Command:
    module, _, attribute = lazy.target.partition(":")
    return getattr(import_module(module), attribute)


EVERY = [pytest.param(name, lazy, id=name) for name, lazy in all_commands()]
#: Those that serve, stream, or print a document that is JSON already.
WITHOUT_JSON = {"run", "plugins serve", "audit export", "events tail", "config schema", "dev fake-venue"}
#: Those that work without a gateway's configuration.
WITHOUT_CONFIG = {"dev fake-venue"}
DESTRUCTIVE = {
    "approvals approve",
    "halt",
    "orders resolve",
    "permissions grant",
    "positions acknowledge",
    "positions close",
    "mode confirm-live",
    "orders cancel",
    "paper reset",
    "plugins enable",
    "plugins disable",
    "plugins lock",
}


@pytest.mark.parametrize(("name", "lazy"), EVERY)
def test_the_tables_help_is_the_commands_own(name, lazy):
    assert load(lazy).help == lazy.help


@pytest.mark.parametrize(("name", "lazy"), EVERY)
def test_every_command_can_print_json_but_for_those_that_stream(name, lazy):
    options = {option for parameter in load(lazy).params for option in parameter.opts}
    assert ("--json" in options) is (name not in WITHOUT_JSON)
    assert "--debug" in options
    assert ({"--config", "--data-dir", "--set"} <= options) is (name not in WITHOUT_CONFIG)


@pytest.mark.parametrize("name", sorted(DESTRUCTIVE))
def test_what_destroys_or_consents_can_be_tried_and_answered_beforehand(name):
    options = {option for parameter in load(dict(all_commands())[name]).params for option in parameter.opts}
    assert {"--dry-run", "--yes"} <= options


def test_help_names_every_command_and_the_exit_codes(gatehook):
    answer = gatehook("--help")
    assert answer.code == 0
    assert all(name in answer.out for name in COMMANDS)
    assert "130 interrupted" in " ".join(answer.out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ordrs"], 'did you mean "orders"?'),
        (["plugins", "lst"], 'did you mean "list"?'),
        (["orders", "place"], "Missing argument"),
        (["orders", "place", "hold", "1", "X.Y"], "hold"),
        (["plugins", "list", "--nope"], "--nope"),
        (["config", "set", "gateway.mode"], "--unset"),
    ],
)
def test_misuse_ends_with_2_and_says_what_helps(gatehook, words, said):
    answer = gatehook(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert said in answer.err
    assert "--help` says what is accepted" in answer.err


def test_misuse_with_json_is_one_document_too(gatehook):
    answer = gatehook("plugins", "list", "--nope", "--json")
    assert answer.code == 2
    assert answer.json["schemaVersion"] == 1
    assert answer.json["ok"] is False
    assert answer.json["error"]["code"] == "cli.bad-usage"
    assert answer.json["error"]["remedy"]


def test_a_subject_without_a_command_lists(gatehook):
    assert gatehook("slots").out == gatehook("slots", "list").out != ""
    assert json.loads(gatehook("slots", "--json").out)["slots"]


def test_an_unexpected_error_shows_no_traceback_without_debug(gatehook, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("inner detail")

    monkeypatch.setattr("gatehook.cli.options.Where.load", broken)
    answer = gatehook("plugins", "list")
    assert answer.code == 1
    assert "cli.unexpected" in answer.err
    assert "ZeroDivisionError" in answer.err
    assert "Traceback" not in answer.err
    assert "Traceback" in gatehook("plugins", "list", "--debug").err


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["accounts"],
        ["positions"],
        ["quote", "EURUSD.SIMULATED"],
        ["instruments"],
        ["orders", "place", "buy", "1", "EURUSD.SIMULATED"],
        ["orders", "cancel", "x", "--yes"],
        ["plugins", "restart", "paper"],
        ["approvals"],
        ["approvals", "approve", "A", "--yes"],
        ["permissions"],
        ["limits"],
        ["reconciliation"],
        ["orders", "amend", "x", "--price", "1"],
        ["orders", "adopt", "paper", "V1"],
        ["positions", "close", "paper/main", "EURUSD.SIMULATED", "--yes"],
        ["events", "tail"],
    ],
)
def test_without_a_gateway_the_remedy_is_to_start_one(gatehook, words):
    answer = gatehook(*words)
    assert answer.code == 1
    assert answer.out == ""
    assert f"No gateway is running on {gatehook.data_dir}" in answer.err
    assert "gatehook run" in answer.err


@pytest.mark.parametrize(
    ("words", "key"), [(["orders", "list"], "orders"), (["fills"], "fills"), (["memory", "search"], "hits")]
)
def test_what_can_be_read_without_a_gateway_is(gatehook, words, key):
    answer = gatehook(*words, "--json")
    assert (answer.code, answer.json[key]) == (0, [])


def test_interrupted_is_130(gatehook, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("gatehook.cli.options.Where.load", interrupted)
    assert gatehook("plugins", "list").code == 130

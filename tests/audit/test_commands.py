"""The audit on the command line, and what other commands write into it."""

from __future__ import annotations

import json
import os

import pytest

from gatehook.audit import Record
from gatehook.audit import files
from gatehook.audit import read
from gatehook.gateway.person import person_of
from tests.audit.conftest import Room
from tests.cli.conftest import gatehook

__all__ = ["gatehook"]  # a fixture


@pytest.fixture
def line(gatehook):
    gatehook.data_dir.mkdir()
    return gatehook


@pytest.fixture
def written(line):
    room = Room(line.data_dir)
    room.filled()
    return room


def records(line):
    return [(one.kind, one.subject) for one in read(line.data_dir) if one.kind != "audit.opened"]


# --- list


def test_without_a_log_there_is_nothing_to_list(gatehook):
    answer = gatehook("audit", "list")
    assert (answer.code, answer.out) == (0, "")
    assert gatehook("audit", "list", "--json").json["records"] == []
    assert not gatehook.data_dir.exists()


def test_list_has_the_newest_that_fit(line, written):
    assert "test.note" in line("audit").out
    found = line("audit", "list", "--kind", "test.*", "--limit", "2", "--json").json["records"]
    assert [one["seq"] for one in found] == [4, 5]
    assert found[0]["ts"].startswith("1970-01-01T00:00:00")
    assert line("audit", "list", "--kind", "order.*", "--json").json["records"] == []


@pytest.mark.parametrize(
    ("since", "count"), [("1970-01-01T00:00:00Z", 5), ("1970-01-01T00:00:00.000001005Z", 1), ("2h", 0)]
)
def test_list_since_a_time(line, written, since, count):
    assert len(line("audit", "list", "--since", since, "--json").json["records"]) == count


def test_a_time_that_is_none(line):
    answer = line("audit", "list", "--since", "yesterday")
    assert answer.code == 2
    assert "'yesterday' is no time" in answer.err


# --- verify


def test_verify_says_that_it_is_whole(line, written):
    answer = line("audit", "verify")
    assert answer.code == 0
    assert answer.out.splitlines() == ["5 records, 1 to 5", "the audit is whole"]
    found = line("audit", "verify", "--json").json
    assert (found["ok"], found["records"], found["problems"], found["proof"]) == (True, 5, [], None)


def test_verify_names_what_is_wrong_and_fails(line, written):
    lines = written.lines()
    written.log.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    answer = line("audit", "verify")
    assert answer.code == 1
    assert "dropped: record 3 is missing" in answer.out
    found = line("audit", "verify", "--json")
    assert (found.code, found.json["ok"]) == (1, False)
    assert found.json["problems"][0]["seq"] == 3


def test_verify_compares_with_the_journal(line, written, monkeypatch):
    from gatehook.cli import audit
    from gatehook.orders.database import open_writer

    monkeypatch.setattr(audit, "_SETTLED", 0.0)
    db = open_writer(line.data_dir / "journal.sqlite")
    assert line("audit", "verify").code == 0
    db.execute(
        "INSERT INTO commands (command_id, kind, entry_id, account_id, digest, caller, body, state, market_ns, wall_ns)"
        " VALUES ('c1', 'cancel', 'venue', 'main', 'd', 'test', '{}', 'sent', 0, 9000)"
    )
    db.close()
    log = written.open()
    subject = {"command_id": "c0", "command": "amend", "account": "a", "digest": "d", "permit": "reducing"}
    log.append([Record("command.intent", "test", subject)])
    written.close()
    answer = line("audit", "verify")
    assert answer.code == 1
    assert "no-intent: command c1 has no intent in the audit" in answer.out
    assert "no-row: record 6 is an intent that the journal does not have" in answer.out


def test_the_key_and_the_anchors_of_the_configuration(line):
    far = line.home / "far"
    far.mkdir()
    line.config.write_text(f'[audit]\nkey_file = "{far}/key"\nanchors = "{far}/anchors"\n')
    assert line("config", "set", "logging.level", "debug").code == 0
    assert line("audit", "verify").code == 0
    assert sorted(one.name for one in far.iterdir()) == ["anchors", "key"]
    assert not (line.data_dir / "audit.key").exists()


# --- export


def test_export_as_one_document_and_as_lines(line, written):
    document = json.loads(line("audit", "export", "-").out)
    assert [one["seq"] for one in document["records"]] == [1, 2, 3, 4, 5]
    assert line("audit", "export", "--ndjson", "-").out == written.log.read_text()
    target = line.home / "out"
    assert line("audit", "export", "--ndjson", target).code == 0
    assert target.read_bytes() == written.log.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600


def test_export_replaces_no_file(line, written):
    target = line.home / "out"
    target.write_text("mine")
    answer = line("audit", "export", target)
    assert answer.code == 2
    assert "File exists" in answer.err
    assert target.read_text() == "mine"


# --- what other commands write


def test_consent_is_recorded_and_its_end(line):
    root = line.plugin("mine")
    assert line("plugins", "enable", "mine", "--yes").code == 0
    assert line("plugins", "disable", "mine", "--yes").code == 0
    [(given, first), (taken, second)] = records(line)
    assert (given, taken) == ("plugin.consented", "plugin.consent-revoked")
    assert (first["plugin"], first["root"], first["version"]) == ("mine", str(root), "1.0.0")
    assert len(first["digest"]) > 40
    assert second["plugin"] == "mine"
    assert {one.actor for one in read(line.data_dir)} == {"gatehook", person_of(os.getuid())}


def test_a_dry_run_records_nothing(line):
    line.plugin("mine")
    line("plugins", "enable", "mine", "--dry-run")
    line("config", "set", "logging.level", "debug", "--dry-run")
    assert records(line) == []


def test_a_change_of_the_configuration_is_recorded_with_both_values(line):
    line.config.touch()
    line("config", "set", "logging.level", "debug")
    line("config", "set", "logging.level", "debug")
    line("config", "set", "logging.level", "--unset")
    line("config", "set", "supervision.start_timeout", "7.5")
    found = [(subject["key"], subject["before"], subject["after"]) for _, subject in records(line)]
    assert found[:2] == [("logging.level", "info", "debug"), ("logging.level", "debug", "info")]
    assert found[2][2] == "7.5"
    assert len(found) == 3
    assert records(line)[0][1]["path"] == str(line.config)


def test_a_slot_is_recorded(line):
    assert line("slots", "use", "memory", "none").code == 0
    [(kind, subject)] = records(line)
    assert (kind, subject["key"], subject["after"]) == ("config.changed", "plugins.slots.memory", "none")


def test_a_secret_is_recorded_as_it_is_shown(line, secret_canaries):
    secret_canaries.make("TOKEN")
    schema = {"type": "object", "properties": {"token": {"type": "string", "writeOnly": True}, "url": {}}}
    line.plugin("mine", configSchema=schema)
    line("config", "set", "plugins.entries.mine.config.token", '{ env = "TOKEN" }')
    [canary] = secret_canaries()
    line("config", "set", "plugins.entries.mine.config.token", canary)
    line.config.write_text(f'[plugins.entries.mine.config]\ntoken = "{canary}"\n')
    line("config", "set", "plugins.entries.mine.config.token", "--unset")
    secret_canaries.check((line.data_dir / "audit.jsonl").read_text())
    assert "env" in json.dumps(records(line)[0][1]["after"])


@pytest.mark.parametrize(
    "words",
    [
        ("config", "set", "logging.level", "debug"),
        ("slots", "use", "memory", "none"),
        ("plugins", "enable", "mine", "--yes"),
    ],
)
def test_without_the_audit_nothing_is_changed(line, words):
    line.plugin("mine")
    (line.data_dir / "audit.jsonl").mkdir()
    answer = line(*words)
    assert answer.code == 1
    assert "nothing was done [audit.unavailable]" in answer.err
    assert list(line.home.rglob("gatehook.toml")) == []
    assert not (line.data_dir / "consent.json").exists()


def test_consent_is_not_taken_back_without_the_audit(line, monkeypatch):
    line.plugin("mine")
    line("plugins", "enable", "mine", "--yes")
    before = (line.data_dir / "consent.json").read_bytes()
    monkeypatch.setattr(files.os, "write", lambda handle, data: 0)
    answer = line("plugins", "disable", "mine", "--yes")
    assert answer.code == 1
    assert "No space left" in answer.err
    assert (line.data_dir / "consent.json").read_bytes() == before


def test_a_change_that_fails_is_recorded_as_failed(line, monkeypatch):
    from gatehook.config import editing

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(editing, "_written_beside", fail)
    line("config", "set", "logging.level", "debug")
    assert [subject.get("failed") for _, subject in records(line)] == [None, "GatehookError"]

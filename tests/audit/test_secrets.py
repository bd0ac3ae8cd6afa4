"""No secret reaches the log, wherever in a record it stands; the names of the fields stay."""

from __future__ import annotations

import json

from gatehook.audit import Record
from gatehook.audit import read
from gatehook.secrets import Redactor
from gatehook.secrets import SecretReference


def test_a_canary_is_nowhere(room, secret_canaries):
    redactor = Redactor()
    redactor.add(SecretReference("env", secret_canaries.make("TOKEN")["env"]).resolve())
    [canary] = secret_canaries()
    log = room.open(redact=redactor.redact)
    inner = [{"deep": [f"a {canary} b"], canary: 1}, canary]
    log.append([Record("test.note", f"agent {canary}", {"plain": canary, "inner": inner, "count": 3, "none": None})])
    room.close()
    secret_canaries.check(*(path.read_text(errors="replace") for path in room.path.iterdir()))
    [*_, entry] = read(room.path)
    assert entry.subject["count"] == 3
    assert entry.subject["inner"][0]["deep"] == ["a ******** b"]
    assert room.faults() == []


def test_a_secret_that_json_writes_in_another_way(room):
    value = 'pass"wörd\\n'
    log = room.open(redact=lambda text: text.replace(value, "*").replace(json.dumps(value)[1:-1], "*"))
    log.append([Record("test.note", "tester", {"text": f"it is {value}!"})])
    [*_, entry] = read(room.path)
    assert entry.subject == {"text": "it is *!"}


def test_a_secret_that_is_the_name_of_a_field_takes_no_field_away(room):
    log = room.open(redact=lambda text: text.replace("account", "*"))
    log.append([Record("order.intent", "tester", {"account": "my account"})])
    [*_, entry] = read(room.path)
    assert entry.subject == {"account": "my *"}

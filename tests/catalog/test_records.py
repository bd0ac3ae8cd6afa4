"""Consent, lock and block list: what is written, and files that cannot be trusted."""

from __future__ import annotations

import json
import os

import pytest

from gatehook import GatehookError
from gatehook.catalog import ConsentState
from gatehook.catalog import ConsentStore
from gatehook.catalog import Places
from gatehook.catalog import asks_of
from gatehook.catalog import discover
from gatehook.catalog import records
from gatehook.catalog.blocklist import read_blocklist
from gatehook.catalog.lock import read_lock
from gatehook.catalog.lock import write_lock


@pytest.fixture
def plugin(tmp_path, make_plugin):
    return make_plugin(tmp_path / "workspace" / "mine", "mine")


@pytest.fixture
def candidate(plugin):
    def find():
        return discover(Places(workspace=plugin.parent))[0]

    return find


@pytest.fixture
def store(tmp_path):
    return ConsentStore(tmp_path / "data" / "consent.json", now=lambda: 1_700_000_000)


def test_consent_is_pinned_to_the_tree(store, candidate, plugin):
    assert store.state_of(candidate()).state is ConsentState.MISSING
    granted = store.grant(candidate())
    assert store.state_of(candidate()) == granted
    (plugin / "plugin.py").write_text("changed")
    assert store.state_of(candidate()).state is ConsentState.TREE_CHANGED
    store.grant(candidate())
    assert store.state_of(candidate()).state is ConsentState.GRANTED


def test_consent_is_pinned_to_what_is_asked_for(store, candidate, plugin, make_plugin):
    store.grant(candidate())
    make_plugin(plugin, "mine", permissions={"network": ["evil.example.com"]})
    found = store.state_of(candidate())
    assert found.state is ConsentState.ASKS_CHANGED
    assert "permission:network:evil.example.com" in found.detail


def test_consent_ends(store, candidate):
    store.grant(candidate())
    assert store.revoke(candidate())
    assert not store.revoke(candidate())
    assert store.state_of(candidate()).state is ConsentState.MISSING


def test_the_record_is_private_and_says_what_was_agreed_to(store, candidate):
    store.grant(candidate())
    assert store.path.stat().st_mode & 0o777 == 0o600
    ((_, written),) = json.loads(store.path.read_text())["consents"].items()
    assert written["asks"] == list(asks_of(candidate().manifest))
    assert written["grantedAt"] == 1_700_000_000


def test_fault_36_a_tree_with_bytecode_is_not_granted_and_loses_its_consent(store, candidate, plugin):
    store.grant(candidate())
    (plugin / "planted.pyc").touch()
    assert store.state_of(candidate()).state is ConsentState.REFUSED
    with pytest.raises(GatehookError, match=r"consent\.tree-refused"):
        store.grant(candidate())


def test_a_plugin_that_is_not_good_is_not_granted(store, candidate, plugin):
    (plugin / "plugin.json").write_text("{")
    with pytest.raises(GatehookError, match=r"manifest\.not-json"):
        store.grant(candidate())


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"schemaVersion": 2, "consents": {}}', '{"schemaVersion": 1, "consents": []}', "\0" * 99],
)
def test_fault_17_a_record_that_cannot_be_used_holds_no_consent(store, candidate, content):
    store.grant(candidate())
    store.path.write_text(content)
    states, diagnostics = store.states_of((candidate(),))
    assert states == {}
    assert [one.code for one in diagnostics] == ["consent.store-unreadable"]
    with pytest.raises(GatehookError):
        store.grant(candidate())


@pytest.mark.parametrize("entry", [None, 1, {}, {"digest": 1, "asks": []}, {"digest": "x", "asks": [1]}])
def test_fault_17_a_consent_that_is_none_is_missing(store, candidate, entry):
    store.grant(candidate())
    value = json.loads(store.path.read_text())
    value["consents"] = dict.fromkeys(value["consents"], entry)
    store.path.write_text(json.dumps(value))
    assert store.states_of((candidate(),)) == ({}, ())


def test_fault_17_a_record_that_others_can_write_holds_no_consent(store, candidate):
    store.grant(candidate())
    store.path.chmod(0o666)
    assert [one.code for one in store.states_of((candidate(),))[1]] == ["consent.store-unreadable"]


@pytest.mark.parametrize("what", ["symlink", "fifo", "directory"])
def test_fault_17_a_record_that_is_no_file_holds_no_consent(store, candidate, what):
    store.path.parent.mkdir()
    if what == "symlink":
        store.path.symlink_to("/dev/zero")
    elif what == "fifo":
        os.mkfifo(store.path)
    else:
        store.path.mkdir()
    assert [one.code for one in store.states_of((candidate(),))[1]] == ["consent.store-unreadable"]


def test_without_a_record_nothing_is_hashed(store, candidate, monkeypatch):
    monkeypatch.setattr("gatehook.catalog.consent.hash_tree", lambda *_, **__: pytest.fail("hashed"))
    assert store.states_of((candidate(),)) == ({}, ())


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_fault_18_a_write_that_fails_leaves_the_old_record(store, candidate, monkeypatch, call):
    store.grant(candidate())
    before = store.path.read_bytes()
    tried = []

    def full(*arguments, **options):
        if call == "fsync" or (arguments[1] & os.O_CREAT):
            tried.append(arguments)
            raise OSError(28, "No space left on device")
        return open_(*arguments, **options)

    open_ = os.open
    monkeypatch.setattr(records.os, call, full)
    with pytest.raises(GatehookError, match="No space left"):
        store.revoke(candidate())
    monkeypatch.undo()
    assert tried
    assert store.path.read_bytes() == before
    assert list(store.path.parent.iterdir()) == [store.path]


def test_the_lock_is_what_a_plan_admits(tmp_path, make_plugin, plan_for):
    make_plugin(tmp_path / "builtin" / "one", "one")
    make_plugin(tmp_path / "workspace" / "two", "two")
    locked = write_lock(plan_for(), tmp_path / "gatehook.lock")
    assert [one.id for one in locked] == ["one"]
    assert read_lock(tmp_path / "gatehook.lock") == {"one": locked[0]}


def test_a_tree_without_digest_is_not_locked(tmp_path, make_plugin, plan_for):
    plugin = make_plugin(tmp_path / "builtin" / "one", "one")
    (plugin / "link").symlink_to("/etc/passwd")
    with pytest.raises(GatehookError, match=r"consent\.tree-refused"):
        write_lock(plan_for(), tmp_path / "gatehook.lock")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "{",
        "[]",
        "{}",
        '{"schemaVersion": 2, "plugins": []}',
        '{"schemaVersion": 1, "plugins": [{}]}',
        '{"schemaVersion": 1, "plugins": [{"id": "a", "version": "1", "origin": "mars", "digest": null}]}',
        '{"schemaVersion": 1, "plugins": [{"id": 1, "version": "1", "origin": "user", "digest": null}]}',
    ],
)
def test_a_lock_that_cannot_be_used_is_said(tmp_path, content):
    if content is not None:
        (tmp_path / "lock").write_text(content)
    with pytest.raises(GatehookError, match=r"lock\.unreadable"):
        read_lock(tmp_path / "lock")


def test_a_lock_that_cannot_be_written_is_said(tmp_path, plan_for):
    (tmp_path / "file").touch()
    with pytest.raises(GatehookError, match=r"lock\.unreadable"):
        write_lock(plan_for(), tmp_path / "file" / "lock")


def test_a_block_list_is_read(tmp_path):
    value = [
        {"id": "bad", "firstGoodVersion": "1.2", "reason": "loses orders", "link": "https://x"},
        {"id": "worse", "reason": "r"},
    ]
    (tmp_path / "list.json").write_text(json.dumps(value))
    first, second = read_blocklist(tmp_path / "list.json")
    assert (first.id, first.first_good, first.reason, first.link) == ("bad", "1.2", "loses orders", "https://x")
    assert second.first_good is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [1],
        [{"id": "a"}],
        [{"id": "a", "reason": "r", "more": "x"}],
        [{"id": "a", "reason": 1}],
        [{"id": "a", "reason": "r", "firstGoodVersion": "x y"}],
        [{"id": "a", "reason": "r", "firstGoodVersion": 1}],
    ],
)
def test_a_block_list_that_cannot_be_used_is_said(tmp_path, value):
    if value is not None:
        (tmp_path / "list.json").write_text(json.dumps(value))
    with pytest.raises(GatehookError, match=r"blocklist\.unreadable"):
        read_blocklist(tmp_path / "list.json")


def test_a_record_over_the_cap_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "LARGEST_RECORD", 10)
    (tmp_path / "list.json").write_text("[" + " " * 100 + "]")
    with pytest.raises(GatehookError, match="too large"):
        read_blocklist(tmp_path / "list.json")

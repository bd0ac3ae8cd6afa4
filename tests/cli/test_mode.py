"""Whose money is traded, and the one confirmation that live trading needs."""

from __future__ import annotations

import json

import pytest

from gatehook.diagnostics import GatehookError
from gatehook.host.live import read_confirmation
from gatehook.host.live import require_confirmation
from gatehook.kinds.accounts import Mode

LIVE = '[gateway]\nmode = "live"\n\n[plugins.entries.paper.config]\nallowedAccounts = ["main"]\n'


def test_live_that_nobody_confirmed_does_not_start_and_the_command_that_confirms_is_named(gatehook):
    answer = gatehook("run", "--set", "gateway.mode=live")
    assert answer.code == 1
    assert "gateway.live-unconfirmed" in answer.err
    assert f"gatehook mode confirm-live --data-dir {gatehook.data_dir}" in answer.err
    assert not gatehook.data_dir.exists()


def test_a_confirmation_says_who_when_and_what_for(gatehook):
    gatehook.config.write_text(LIVE)
    assert gatehook("mode", "--json").json["confirmed"] is None
    answer = gatehook("mode", "confirm-live", "--yes")
    assert answer.code == 0, answer
    assert "allowed accounts of paper: main" in answer.out
    assert "limits: no limits" in answer.out
    written = json.loads((gatehook.data_dir / "live.json").read_text())
    assert written["accounts"] == {"paper": ["main"]}
    assert written["config"] == str(gatehook.config)
    assert written["by"].startswith("cli:")
    assert (gatehook.data_dir / "live.json").stat().st_mode & 0o777 == 0o600
    assert gatehook("mode", "--json").json["confirmed"] == written
    assert f"confirmed by {written['by']}" in gatehook("mode").out
    require_confirmation(gatehook.data_dir, Mode.LIVE)


def test_nobody_there_to_confirm_is_consent_needed_and_a_try_writes_nothing(gatehook):
    answer = gatehook("mode", "confirm-live")
    assert (answer.code, "cli.consent-needed" in answer.err) == (3, True)
    assert gatehook("mode", "confirm-live", "--dry-run", "--json").json["written"] is False
    assert not gatehook.data_dir.exists()


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.DEMO])
def test_other_modes_need_no_confirmation(tmp_path, mode):
    require_confirmation(tmp_path, mode)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"by": "me", "at": "yesterday", "config": "", "accounts": {}}'])
def test_a_damaged_confirmation_is_none(tmp_path, text):
    (tmp_path / "live.json").write_text(text)
    with pytest.raises(GatehookError, match="live-unreadable"):
        read_confirmation(tmp_path)

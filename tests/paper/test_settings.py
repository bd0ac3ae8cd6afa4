"""The configuration and the manifest of the paper broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builtin_plugins.paper.settings import settings_from
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.times import SECOND
from tests.paper.kit import CONFIG
from tests.paper.kit import EURUSD
from tests.paper.kit import D


def schema() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(Path("builtin_plugins/paper/plugin.json").read_text())
    found: dict[str, Any] = manifest["configSchema"]["properties"]
    return found


def test_the_defaults_are_one_margin_account_in_dollars() -> None:
    defaults = {key: value["default"] for key, value in schema().items() if "default" in value}
    (account,) = settings_from("paper", defaults).accounts
    assert (account.account_id, account.currency, account.leverage, account.balance) == ("main", "USD", 30, 100000)
    assert (account.account_type, account.position_mode) == (AccountType.MARGIN, PositionMode.NETTING)
    assert defaults["prices"] == "simulated"


def test_the_tests_use_the_defaults_of_the_schema() -> None:
    known = {key: value["default"] for key, value in schema().items() if "default" in value}
    assert {key: CONFIG[key] for key in CONFIG if key not in ("prices", "accounts", "instruments")} == {
        key: value for key, value in known.items() if key not in ("prices", "accounts", "instruments")
    }


def test_everything_is_read() -> None:
    made = settings_from(
        "desk",
        {
            **CONFIG,
            "spread": "0.0001",
            "spreads": {"EURUSD.TEST": "0.0003"},
            "participation": "0.1",
            "swap": {"EURUSD.TEST": {"long": "-0.1", "short": "0.2"}},
            "max_quote_age": 5,
            "session_end": "16:30",
            "accounts": [{"id": "c", "type": "cash", "currency": "EUR"}, {"id": "h", "position_mode": "hedging"}],
        },
    )
    assert (made.spread_of(EURUSD), made.spread, made.participation) == (D("0.0003"), D("0.0001"), D("0.1"))
    assert (made.swaps, made.max_quote_age) == ({EURUSD: (D("-0.1"), D("0.2"))}, 5 * SECOND)
    assert made.session_end == 16 * 60 + 30
    assert [one.position_mode for one in made.accounts] == [PositionMode.NONE, PositionMode.HEDGING]


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ([{"id": "a"}, {"id": "a"}], "two paper accounts have one id"),
        ([{"id": "a", "type": "cash", "position_mode": "netting"}], "position_mode none"),
        ([{"id": "a", "position_mode": "none"}], "position_mode none"),
    ],
)
def test_accounts_that_contradict_themselves_are_refused(accounts: list[dict[str, str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_from("paper", {**CONFIG, "accounts": accounts})

"""The sections that say how much may be traded and by whom: what they become, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gatehook.config import LimitsConfig
from gatehook.config import PermissionRule
from gatehook.config import Permit
from gatehook.config import RiskClass
from gatehook.config import TradingSection
from gatehook.config import config_from
from gatehook.config import config_json_schema
from gatehook.config import dangling_references
from gatehook.config import edit_config
from gatehook.config import load_config
from gatehook.config import parse_config
from gatehook.config import shown
from gatehook.diagnostics import GatehookError

FILE = """\
[trading]
valuation_currency = "EUR"
conversion = { JPY = ["USDJPY.ICM", "EURUSD.ICM"] }
day_start = "22:00"

[audit]
anchors = "elsewhere/anchors"

[limits."paper"]
orders_per_minute = 30
max_position = 100000

[limits."paper/main"]
max_notional = "2500.50"
price_band = "0.05"
symbols = ["EUR*", "XAUUSD.m"]

[[permissions]]
caller = "cli"
decision = "allow"

[[permissions]]
caller = "agent:*"
entry = "paper"
account = "main"
class = "trade"
decision = "deny"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gatehook.toml"
    path.write_text(FILE)
    return path


def test_what_the_file_says_becomes_values(path: Path) -> None:
    config = load_config(path, environ={})
    assert config.trading == TradingSection(
        valuation_currency="EUR", conversion={"JPY": ("USDJPY.ICM", "EURUSD.ICM")}, day_start="22:00"
    )
    assert config.audit.anchors == path.parent / "elsewhere/anchors"
    assert dict(config.limits) == {
        "paper": LimitsConfig(scope="paper", orders_per_minute=30, max_position=Decimal(100000)),
        "paper/main": LimitsConfig(
            scope="paper/main",
            max_notional=Decimal("2500.50"),
            price_band=Decimal("0.05"),
            symbols=("EUR*", "XAUUSD.m"),
        ),
    }
    assert config.permissions == (
        PermissionRule(caller="cli", decision=Permit.ALLOW),
        PermissionRule(caller="agent:*", entry="paper", account="main", risk=RiskClass.TRADE, decision=Permit.DENY),
    )


def test_without_a_word_there_are_no_limits_and_no_rules() -> None:
    config = config_from({})
    assert (dict(config.limits), config.permissions, config.trading) == ({}, (), TradingSection())


def test_each_setting_knows_its_line(path: Path) -> None:
    config = load_config(path, environ={})
    assert config.explain('limits."paper/main".max_notional').line == 14
    assert config.explain("permissions.1.decision").line == 27
    assert config.explain("permissions.1.class").value == "trade"
    assert config.explain("permissions").restart_needed


def test_an_amount_is_shown_as_it_would_be_written(path: Path) -> None:
    document = shown(load_config(path, environ={}))
    assert document["limits"]["paper/main"]["max_notional"] == "2500.50"
    assert json.loads(json.dumps(document)) == document


def test_the_layers_above_the_file_may_set_limits_and_rules(path: Path) -> None:
    config = load_config(
        path,
        environ={
            "GATEHOOK__LIMITS__PAPER__ORDERS_PER_MINUTE": "3",
            "GATEHOOK__PERMISSIONS": '[{ caller = "web", decision = "deny" }]',
        },
        sets=['limits."paper/main".max_notional="10"', "trading.max_quote_age=5"],
    )
    assert config.limits["paper"].orders_per_minute == 3
    assert config.limits["paper/main"].max_notional == Decimal(10)
    assert config.permissions == (PermissionRule(caller="web", decision=Permit.DENY),)
    assert config.explain("permissions.0.caller").origin == "environment GATEHOOK__PERMISSIONS"


def test_the_environment_finds_the_entry_that_a_limit_is_for() -> None:
    config = config_from(
        {"plugins": {"entries": {"my-broker": {}}}}, environ={"GATEHOOK__LIMITS__MY_BROKER__MAX_OPEN_ORDERS": "2"}
    )
    assert config.limits["my-broker"].max_open_orders == 2


def test_a_setting_is_changed_where_it_stands(path: Path) -> None:
    edit_config(path, 'limits."paper/main".max_notional', "9")
    edit_config(path, 'limits."second/a".max_quantity', 1)
    config = load_config(path, environ={})
    assert config.limits["paper/main"].max_notional == Decimal(9)
    assert config.limits["second/a"].max_quantity == Decimal(1)
    with pytest.raises(GatehookError):
        edit_config(path, 'limits."paper/main".max_notional', 0.5)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("max_notional = 0.5", "a decimal number is not exact"),
        ("max_notional = nan", "a decimal number is not exact"),
        ("max_notional = inf", "a decimal number is not exact"),
        ("max_notional = true", "an amount above zero"),
        ("max_notional = [1]", "an amount above zero"),
        ("max_notional = -1", "an amount above zero"),
        ("max_notional = 0", "an amount above zero"),
        ('max_notional = "0.00"', "an amount above zero"),
        ('max_notional = "-1"', "an amount above zero"),
        ('max_notional = "NaN"', "an amount above zero"),
        ('max_notional = "1e9"', "an amount above zero"),
        ('max_notional = "1_000"', "an amount above zero"),
        ('max_notional = "٣"', "an amount above zero"),
        (f'max_notional = "{"9" * 40}"', "an amount above zero"),
        ("max_notionl = 1", 'did you mean "limits.paper.max_notional"'),
        ("orders_per_minute = 0", "at least 1"),
        ("orders_per_minute = 1.5", "a whole number"),
        ('symbols = "EURUSD"', "a list of words"),
        ('symbols = ["EUR[A-Z]"]', "without ? [ ]"),
        ('symbols = [""]', "not empty"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_its_line(line: str, says: str) -> None:
    [found] = refused(f"[limits.paper]\n{line}\n")
    assert found.line == 2
    assert "limits.paper." in found.message
    assert says.replace("limits.paper.", "") in found.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[limits."Paper"]', "a table for an entry"),
        ('[limits."paper/"]', "a table for an entry"),
        ('[limits."paper/ a"]', "a table for an entry"),
        ("limits = 3", "must be a table, and is a whole number"),
        ("limits = { paper = 3 }", "must be a table, and is a whole number"),
        ("permissions = 3", "a list of tables"),
        ("[permissions]", "a list of tables"),
        ("permissions = [3]", "must be a table, and is a whole number"),
        ("permisions = []", 'did you mean "permissions"'),
        ("[[permissions]]\ndecison = 'deny'", 'did you mean "decision"'),
        ("[[permissions]]\ndecision = 'alow'", 'did you mean "allow"'),
        ("[[permissions]]\nclass = 'trades'", 'did you mean "trade"'),
        ("[[permissions]]\ncaller = 3", "a word"),
        ("[[permissions]]\ncaller = ['cli']", "a word"),
        ("[[permissions]]\ncaller = 'a\\tb'", None),
        ('[[permissions]]\ncaller = "a\\tb"', "without control characters"),
        ("[trading]\nvaluation_currency = 'usd'", "capitals"),
        ("[trading]\nday_start = '24:00'", "from 00:00 to 23:59"),
        ("[trading]\nday_start = 07:30:00", "is a date or time"),
        ("[trading]\nmax_quote_age = nan", "seconds"),
        ("[trading]\nconversion = ['EURUSD.ICM']", "a table of lists of instrument ids"),
        ("[trading.conversion]\nEUR = 'EURUSD.ICM'", "a table of lists of instrument ids"),
        ("[trading.conversion]\nEUR = ['EURUSD']", "like EURUSD.PAPER"),
        ("[trading.conversion]\nEUR = []", "1 to 4"),
        ("[trading.conversion]\neur = ['EURUSD.ICM']", "capitals"),
        ("[trading]\napprovals_per_minute = 0", "at least 1"),
        ("[audit]\nkey_file = 3", "a path"),
    ],
)
def test_what_is_no_setting_is_refused(text: str, says: str | None) -> None:
    if says is None:
        parse_config(text.encode())
        return
    [found] = refused(text)
    assert says in found.message
    assert found.line in (1, 2)


def test_the_schema_says_the_same(path: Path) -> None:
    validator = Draft202012Validator(config_json_schema())
    good: Any = {
        "trading": {"conversion": {"JPY": ["USDJPY.ICM"]}, "day_start": "22:00"},
        "limits": {"paper/main": {"max_notional": "0.5", "max_quantity": 3, "symbols": ["EUR*"]}},
        "permissions": [{"caller": "agent:*", "class": "trade", "decision": "deny"}],
    }
    assert validator.is_valid(good)
    config_from(good)
    for wrong in (
        {"limits": {"Paper": {}}},
        {"limits": {"paper": {"max_notional": 0.5}}},
        {"limits": {"paper": {"max_notional": "0.0"}}},
        {"limits": {"paper": {"max_notional": 0}}},
        {"limits": {"paper": {"symbols": ["a?"]}}},
        {"permissions": [{"decision": "alow"}]},
        {"permissions": {}},
        {"trading": {"day_start": "24:00"}},
        {"trading": {"conversion": {"EUR": ["EURUSD"]}}},
    ):
        assert not validator.is_valid(wrong), wrong
        with pytest.raises(GatehookError):
            config_from(wrong)


def test_limits_and_rules_of_an_entry_that_there_is_not_are_reported() -> None:
    text = '[limits."papr/main"]\n[limits.paper]\n[[permissions]]\nentry = "p*"\n[[permissions]]\nentry = "papr"\n'
    found = dangling_references(parse_config(text.encode()), ["paper"])
    assert [(one.line, one.code) for one in found] == [
        (1, "config.dangling-reference"),
        (6, "config.dangling-reference"),
    ]
    assert all('did you mean "paper"' in one.message for one in found)


def refused(text: str) -> Any:
    with pytest.raises(GatehookError) as caught:
        parse_config(text.encode(), Path("gatehook.toml"))
    return caught.value.diagnostics

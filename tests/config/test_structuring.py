"""A configuration as the plugin's own attrs class: strict, and silent about values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from typing import Literal

import attrs
import pytest

from gatehook.config import structure_config
from gatehook.secrets import Secret

CANARY = "canary-4711-secret"


class Side(StrEnum):
    BID = "bid"
    ASK = "ask"


@attrs.frozen
class Fees:
    rate: Decimal
    minimum: Decimal = Decimal(0)


@attrs.frozen(kw_only=True)
class Settings:
    token: Secret
    allowed_accounts: tuple[str, ...] = ()
    fees: Fees | None = None
    retries: int = 3
    wait: float = 1.0
    fast: bool = False
    side: Side = Side.BID
    path: Path | None = None
    by_name: Mapping[str, int] = attrs.field(factory=dict)
    mode: Literal["a", "b"] = "a"
    tags: list[str | int] = attrs.field(factory=list)
    anything: Any = None


FULL = {
    "token": Secret(CANARY),
    "allowedAccounts": ("a", "b"),
    "fees": {"rate": "0.001"},
    "retries": 1,
    "wait": 2,
    "fast": True,
    "side": "ask",
    "path": "/x",
    "by_name": {"k": 1},
    "mode": "b",
    "tags": ("x", 1),
    "anything": {"y": 1},
}


def test_every_type_is_filled() -> None:
    made = structure_config(Settings, FULL)
    assert made.token.reveal() == CANARY
    assert made.fees == Fees(Decimal("0.001"))
    assert (made.allowed_accounts, made.tags, made.wait, made.side) == (("a", "b"), ["x", 1], 2.0, Side.ASK)
    assert (made.path, made.by_name, made.mode) == (Path("/x"), {"k": 1}, "b")


def test_defaults_are_the_class_s_own() -> None:
    assert structure_config(Settings, {"token": Secret("x")}).retries == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"retries": "3"}, "/retries must be a int"),
        ({"retries": True}, "/retries must be a int"),
        ({"retries": 3.0}, "/retries must be a int"),
        ({"fast": 1}, "/fast must be a bool"),
        ({"allowedAccounts": "abc"}, "/allowedAccounts must be a list"),
        ({"allowedAccounts": (1,)}, "/allowedAccounts/0 must be a str"),
        ({"fees": {"rate": 0.1}}, "/fees/rate must be a Decimal"),
        ({"fees": {"rate": CANARY}}, "/fees/rate must be a Decimal"),
        ({"fees": {}}, "/fees/rate is missing"),
        ({"fees": 3}, "/fees must be a table"),
        ({"side": CANARY}, "/side must be a Side"),
        ({"mode": CANARY}, "/mode must be one of a, b"),
        ({"token": CANARY}, "/token must be a Secret"),
        ({"allowedAccounts": (Secret(CANARY),)}, "/allowedAccounts/0 must be declared Secret"),
        ({"by_name": 1}, "/by_name must be a table"),
        ({"tokn": 1}, '/tokn is unknown (did you mean "token"?)'),
    ],
)
def test_what_does_not_fit_is_named_without_its_value(change: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        structure_config(Settings, {**FULL, **change})
    assert said in str(caught.value)
    assert CANARY not in str(caught.value)


def test_everything_is_said_at_once() -> None:
    with pytest.raises(TypeError) as caught:
        structure_config(Settings, {"retries": "x", "fast": "y"})
    for part in ("/token is missing", "/retries", "/fast"):
        assert part in str(caught.value)

"""What a person is shown: all that was resolved, nothing that somebody made up, nothing that deceives an eye."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.guard.facts import CommandKind
from gatehook.guard.limit_use import LimitUse
from gatehook.guard.shown import LONGEST
from gatehook.guard.shown import cleaned
from gatehook.guard.shown import shown_facts
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.times import SECOND
from tests.guard.asked import NOON
from tests.guard.asked import command
from tests.guard.asked import order
from tests.guard.asked import quote

LIMITS = [
    LimitUse(limit="orders_per_minute", scope="broker", bound=Decimal(30), use=Decimal(4), headroom=Decimal(26)),
    LimitUse(limit="max_notional", scope="broker/main", bound=Decimal("2500.5"), about="each order"),
    LimitUse(limit="max_daily_loss", scope="broker/main", bound=Decimal(50), about="no equity yet"),
    LimitUse(limit="symbols", scope="broker", bound=None, about="EUR*"),
]


def test_an_order_is_shown_whole() -> None:
    limit = order(
        "1100.5",
        type_=OrderType.LIMIT,
        price="1.0892",
        stop_loss="1.05",
        time_in_force=TimeInForce.GTC,
        quote=quote(at=NOON - 3 * SECOND // 2),
        tags=("swing",),
    )
    assert shown_facts(command(limit), LIMITS, now=NOON, currency="CHF") == (
        ("command", "new order"),
        ("account", '"main" of broker'),
        ("money", "live account"),
        ("asked by", '"agent:one"'),
        ("instrument", '"EURUSD.BROKER"'),
        ("side", "buy"),
        ("quantity", '0.01 lots = 1000 "EUR"'),
        ("type", "limit gtc"),
        ("price", "1.0892"),
        ("stop loss", "1.05"),
        ("position", "may open or add to a position"),
        ("worth in CHF", "1100.5"),
        ("market", "bid 1.1, ask 1.1002, 1.5 s old"),
        ("distance to the market", "1.000 %"),
        ("tags", '"swing"'),
        ("limit orders_per_minute of broker", "4 of 30 used, 26 left"),
        ("limit max_notional of broker/main", "2500.5 (each order)"),
        ("limit max_daily_loss of broker/main", "50 (no equity yet)"),
        ("limit symbols of broker", "EUR*"),
        ("digest", "d1ge57d1ge57d1ge"),
    )


def test_what_is_not_known_is_said_with_its_reason() -> None:
    unknown = order(None, base=None, problem="no quote for EURUSD")
    rows = dict(shown_facts(command(unknown), [], now=NOON, currency="USD"))
    assert rows["worth in USD"] == rows["market"] == "not known: no quote for EURUSD"
    assert rows["quantity"] == '0.01 lots = not known "EUR"'
    assert "distance to the market" not in rows


def test_an_amend_shows_the_order_that_results() -> None:
    result = order("200", replaces="a1", reduce_only=True, position_id="7", price="1.2", type_=OrderType.LIMIT)
    rows = dict(shown_facts(command(result, kind=CommandKind.AMEND), [], now=NOON, currency="USD"))
    assert rows["command"] == "change of a working order"
    assert rows["becomes of order"] == '"a1"'
    assert rows["position"] == 'only reduces the position "7"'


def test_each_order_of_a_list_has_its_number() -> None:
    trailing = Trailing(offset="5", unit=TrailingUnit.POINTS, activation_price="1.3")
    stop = order(type_=OrderType.TRAILING_STOP, trailing=trailing, time_in_force=TimeInForce.GTD, expire_at=NOON)
    rows = dict(shown_facts(command(order(), stop), [], now=NOON, currency="USD"))
    assert rows["1. type"] == "market"
    assert rows["2. type"] == "trailing_stop gtd until 2027-01-15T12:00:00Z"
    assert rows["2. trailing"] == "5 points from 1.3 on"


def test_other_commands_show_what_the_desk_adds() -> None:
    bare = command(kind=CommandKind.MODIFY_POSITION, details=(("stop loss", "1.2 becomes 1.1"),))
    assert ("also: stop loss", "1.2 becomes 1.1") in shown_facts(bare, [], now=NOON, currency="USD")


def test_a_name_cannot_pass_for_a_word_of_ours() -> None:
    wicked = 'main"\n\x1b[2Jmode: paper \u202eevil\u200b'
    rows = shown_facts(
        command(
            order(id_=InstrumentId('EUR"USD\u200bX', "BROKER"), tags=("x" * 500, "\u2066safe\u2069")),
            account=AccountKey("broker", wicked),
            caller=wicked,
        ),
        [],
        now=NOON,
        currency="USD",
    )
    shown = dict(rows)
    assert shown["account"] == '"main\'��[2Jmode: paper �evil�" of broker'
    assert shown["instrument"] == '"EUR\'USD�X.BROKER"'
    assert len(shown["tags"]) <= LONGEST
    assert "�safe�" in shown["tags"]


def test_there_are_only_so_many_rows_of_limits() -> None:
    rows = shown_facts(command(), [LIMITS[0]] * 500, now=NOON, currency="USD")
    assert len(rows) < 50
    assert ("limits not shown", "460") in rows


@pytest.mark.parametrize("price", ["1e40", "1e-40", "99999999999999999999.123"])
def test_an_absurd_price_is_shown_all_the_same(price: str) -> None:
    rows = dict(
        shown_facts(command(order(price=price, type_=OrderType.LIMIT, quote=quote())), [], now=NOON, currency="USD")
    )
    assert rows["distance to the market"].endswith(" %")


@settings(max_examples=60)
@given(st.text(max_size=400))
def test_any_text_becomes_one_line_that_can_be_seen(text: str) -> None:
    found = cleaned(text)
    assert len(found) <= LONGEST
    assert not [char for char in found if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}]
    assert cleaned(found) == found

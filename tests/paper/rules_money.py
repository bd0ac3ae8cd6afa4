"""Margin, stop-out, swap, commission and rounding: one sentence a function."""

from __future__ import annotations

import pytest

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.amounts import Money
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import InsufficientFunds
from gatehook.kinds.errors import MarketClosed
from gatehook.kinds.errors import Rejected
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from tests.paper.kit import EURUSD
from tests.paper.kit import MAIN
from tests.paper.kit import T0
from tests.paper.kit import USDJPY
from tests.paper.kit import Bench
from tests.paper.kit import D
from tests.paper.kit import candle
from tests.paper.kit import ending
from tests.paper.kit import fills
from tests.paper.kit import order
from tests.paper.kit import quote
from tests.paper.kit import shown

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def rule_margin_is_base_units_times_price_by_leverage(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002")
    assert made.estimate(order(BUY, quantity=3000), T0) == Money("110.0200", "USD")
    assert made.estimate(order(SELL, LIMIT, 3000, price="1.2000"), T0) == Money("120", "USD")


def rule_margin_is_in_the_accounts_currency(bench: Bench) -> None:
    made = bench.quoted("1.0999", "1.1001", bench.account(currency="EUR", leverage="10"))
    assert made.estimate(order(SELL, LIMIT, 1000, price="1.1000"), T0) == Money("100", "EUR")
    made.on_quote(quote("150.00", "150.00", instrument_id=USDJPY), T0)
    with pytest.raises(Denied, match="JPY cannot be valued in EUR"):
        made.estimate(order(BUY, instrument_id=USDJPY), T0)


def rule_acceptance_reserves_and_an_end_releases(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(balance="110", leverage="10"))
    first = made.submit(order(BUY, LIMIT, 600, price="1.0000"), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(BUY, LIMIT, 501, price="1.0000"), T0)
    made.submit(order(BUY, LIMIT, 500, price="1.0000"), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(BUY, LIMIT, 1, price="1.0000"), T0)
    working = made.state.book.get(first.venue_order_id)
    assert working is not None
    made.cancel(working, T0)
    made.submit(order(BUY, LIMIT, 600, price="1.0000"), T0)


def rule_what_reduces_reserves_nothing(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(balance="110", leverage="10"))
    made.submit(order(BUY, quantity=1000), T0)
    made.submit(order(SELL, LIMIT, 1000, price="1.2000"), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(SELL, LIMIT, 100, price="1.2000"), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(BUY, LIMIT, 1, price="1.0000"), T0)
    made.submit(order(SELL, LIMIT, 1000, price="1.2000", reduce_only=True), T0)


def rule_hedged_binds_the_larger_leg(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(balance="110", leverage="10", mode=PositionMode.HEDGING))
    made.submit(order(BUY, quantity=1000), T0)
    made.submit(order(SELL, quantity=1000), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(SELL, quantity=1), T0)
    assert len(made.state.holdings) == 2


def rule_short_at_the_fill_is_canceled(bench: Bench) -> None:
    """Enough at the close of 1.1000, too little at the open of 1.2000."""
    made = bench.opened(bench.account(balance="110", leverage="10"))
    short = order(BUY, quantity=1000)
    made.submit(short, T0)
    assert bench.bar(made, "1.2 1.2 1.2 1.2") == []
    assert ending(made, short) == "canceled 0 1000 insufficient_margin"


def rule_a_flip_needs_margin_for_what_it_opens(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(balance="110", leverage="10"))
    made.submit(order(BUY, quantity=1000), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(SELL, quantity=2100), T0)
    made.submit(order(SELL, quantity=1000), T0)
    assert made.state.holdings == {}


def rule_a_flip_that_is_short_at_the_fill_is_canceled(bench: Bench) -> None:
    made = bench.opened(bench.account(balance="230", leverage="10"))
    made.submit(order(SELL, quantity=1000), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    flip = order(BUY, quantity=1900)
    made.submit(flip, T0 + HOUR)
    bench.bar(made, "1.2 1.2 1.2 1.2", 1)
    assert shown(fills(made)) == ["buy 1900 1.2"]
    made = bench.opened(bench.account(balance="230", leverage="10"))
    made.submit(order(SELL, quantity=1000), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    made.submit(flip, T0 + HOUR)
    bench.bar(made, "1.25 1.25 1.25 1.25", 1)
    assert ending(made, flip) == "canceled 0 1900 insufficient_margin"


def rule_stop_out_at_half_of_the_margin(bench: Bench) -> None:
    """Margin 110; balance 120: at a loss of 65 equity is 55, half of it."""
    made = bench.quoted("1.1000", "1.1000", bench.account(balance="120", leverage="10"))
    made.submit(order(BUY, quantity=1000), T0)
    assert bench.tick(made, "1.0351", "1.0351", 1) == []
    assert shown(bench.tick(made, "1.0350", "1.0350", 2)) == ["sell 1000 1.0350"]
    closed = [one for one in made.state.changes.events if isinstance(one, Order)][-1]
    assert (closed.origin, closed.request.tags) == (OrderOrigin.VENUE, ("stop_out",))
    assert made.state.accounts["main"].balance == D("55.00")


def rule_stop_out_closes_the_largest_loss_first(bench: Bench) -> None:
    """After the larger of both losses is taken the level is above a half again."""
    made = bench.quoted("1.1000", "1.1000", bench.account(balance="200", leverage="10", mode=PositionMode.HEDGING))
    made.submit(order(BUY, quantity=500), T0)
    made.submit(order(BUY, quantity=1000), T0)
    found = bench.tick(made, "1.0200", "1.0200")
    assert [(one.quantity, one.position_id) for one in found] == [(1000, "N2")]


def rule_a_stop_loss_comes_before_the_stop_out(bench: Bench) -> None:
    made = bench.opened(bench.account(balance="120", leverage="10"))
    made.submit(order(BUY, quantity=1000, stop_loss="1.0900"), T0)
    bench.bar(made, "1.1 1.1 1.1 1.1")
    assert shown(bench.bar(made, "1.1 1.1 1.0 1.0", 1)) == ["sell 1000 1.0900"]


def rule_swap_is_nothing_unless_configured(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000")
    made.submit(order(BUY), T0)
    made.pass_time(T0 + 30 * DAY)
    assert made.state.accounts["main"].balance == D(100000)


def swapped(bench: Bench, side: Side, until: str) -> tuple[str, str]:
    """What a position of 10,000 from Tuesday noon on has paid, as the account and as the position say."""
    made = bench.quoted("1.1000", "1.1000", swaps={EURUSD: (D("-0.0001"), D("0.00002"))})
    made.submit(order(side, quantity=10000), T0)
    made.pass_time(from_rfc3339(until))
    (position,) = made.state.holdings.values()
    return str(made.state.accounts["main"].balance - 100000), str(position.swap)


def rule_swap_is_booked_at_1700_new_york_and_triple_on_wednesday(bench: Bench) -> None:
    for until, paid in (
        ("2024-01-09T21:59:59Z", "0.00"),
        ("2024-01-09T22:00:00Z", "-1.00"),
        ("2024-01-10T22:00:00Z", "-4.00"),
        ("2024-01-14T22:00:00Z", "-6.00"),
        ("2024-01-16T21:59:59Z", "-7.00"),
    ):
        balance, swap = swapped(bench, BUY, until)
        assert (D(balance), D(swap)) == (D(paid), D(paid)), until
    assert swapped(bench, SELL, "2024-01-09T22:00:00Z") == ("0.20", "0.20")


def rule_swap_precedes_the_price_of_its_time_inside_a_bar(bench: Bench) -> None:
    """The bar from 21:30 to 22:30: a position opened at its open pays, one opened after 22:00 does not."""
    start = from_rfc3339("2024-01-09T21:30:00Z")
    made = bench.engine(swaps={EURUSD: (D("-0.0001"), D(0))})
    made.on_candle(candle("1.1 1.1 1.1 1.1", start - HOUR), start)
    made.submit(order(BUY, quantity=10000), start)
    made.submit(order(BUY, LIMIT, 10000, price="1.0000"), start)
    made.on_candle(candle("1.1 1.2 0.9 1.0", start), start + HOUR)
    assert len(fills(made)) == 2
    assert made.state.accounts["main"].balance == D("99999.00")


def rule_commission_is_a_part_of_the_worth(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1002", commission_rate=D("0.0005"))
    made.submit(order(BUY, quantity=1000), T0)
    assert fills(made)[0].commission == Money("0.55", "USD")
    account = made.state.accounts["main"]
    assert account.balance == D("99999.45")
    assert account.residuals == {"USD": D("-0.0001")}


def rule_rounding_happens_on_posting_and_the_residual_is_booked(bench: Bench) -> None:
    """A profit of 0.0003 is not posted and not lost; half a cent goes to the even cent."""
    made = bench.quoted("1.1000", "1.1000")
    made.submit(order(BUY, quantity=3), T0)
    bench.tick(made, "1.1001", "1.1001")
    made.submit(order(SELL, quantity=3), T0)
    account = made.state.accounts["main"]
    assert (account.balance, account.residuals["USD"]) == (D(100000), D("0.0003"))
    assert [account.post("USD", D(amount)) for amount in ("0.005", "0.015", "-0.0051")] == [
        D("0.00"),
        D("0.02"),
        D("-0.01"),
    ]
    assert account.balance + account.residuals["USD"] == D("100000.0003") + D("0.0149")


def rule_currencies_are_posted_in_their_own_units(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(currency="JPY", balance="10000000"))
    made.on_quote(quote("150.00", "150.00", instrument_id=USDJPY), T0)
    made.submit(order(BUY, quantity=11), T0)
    bench.tick(made, "1.1100", "1.1100")
    made.submit(order(SELL, quantity=11), T0 + SECOND)
    account = made.state.accounts["main"]
    assert (account.balance, account.residuals["JPY"]) == (D(10000016), D("0.5"))
    assert account.post("BTC", D("0.123456785")) == D("0.12345678")


def rule_profit_is_converted_at_the_rate_of_the_close(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(currency="EUR"))
    made.submit(order(SELL, quantity=1000), T0)
    bench.tick(made, "1.0000", "1.0000")
    made.submit(order(BUY, quantity=1000), T0 + SECOND)
    assert made.state.accounts["main"].balance == D("100100.00")


def rule_a_cash_account_sells_only_what_it_has(bench: Bench) -> None:
    made = bench.quoted("1.1000", "1.1000", bench.account(mode=PositionMode.NONE, balance="110"))
    with pytest.raises(InsufficientFunds):
        made.submit(order(SELL, quantity=1), T0)
    made.submit(order(BUY, LIMIT, 60, price="1.0000"), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(BUY, quantity=46), T0)
    made.submit(order(BUY, quantity=45), T0)
    made.submit(order(SELL, LIMIT, 45, price="1.2"), T0)
    with pytest.raises(InsufficientFunds):
        made.submit(order(SELL, LIMIT, 1, price="1.2"), T0)


def rule_a_closed_market_and_other_settlements_are_refused(bench: Bench) -> None:
    import attrs

    from gatehook.kinds.instruments import InstrumentStatus
    from gatehook.kinds.instruments import Settlement

    made = bench.quoted("1.1000", "1.1000")
    made.state.instruments[EURUSD] = attrs.evolve(made.state.instruments[EURUSD], status=InstrumentStatus.HALTED)
    with pytest.raises(MarketClosed) as refused:
        made.submit(order(), T0)
    assert isinstance(refused.value, Rejected)
    made.state.instruments[EURUSD] = attrs.evolve(
        made.state.instruments[EURUSD], status=InstrumentStatus.TRADING, settlement=Settlement.INVERSE
    )
    with pytest.raises(Denied):
        made.submit(order(), T0)


def rule_contract_size_counts(bench: Bench) -> None:
    import attrs

    made = bench.quoted("1.1000", "1.1000", commission_rate=D("0.001"))
    made.state.instruments[EURUSD] = attrs.evolve(made.state.instruments[EURUSD], contract_size=D(100))
    assert made.estimate(order(quantity=3), T0) == Money("11", "USD")
    made.submit(order(quantity=3), T0)
    assert fills(made)[0].commission == Money("0.33", "USD")
    bench.tick(made, "1.1100", "1.1100")
    made.submit(order(SELL, quantity=3), T0 + SECOND)
    assert made.state.accounts["main"].balance == D(100000) + 3 - D("0.33") - D("0.33")
    assert MAIN.account_id == "main"

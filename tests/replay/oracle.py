"""What the strategy's orders must have done, worked out from the CSV alone: nothing here comes from gatehook.

``python oracle.py FILE`` prints, for each order, the row (1 is the first candle) and the price of its fill, or null.
"""

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path

SPREAD = Decimal("0.00010")  # the candles are bids; ask = bid + spread


def path(row):
    """The bids a candle passes: open, the extreme nearer to it (tie: low), the other, close."""
    first, high, low, last = (Decimal(row[name]) for name in ("Open", "High", "Low", "Close"))
    extremes = [low, high] if abs(first - low) <= abs(first - high) else [high, low]
    return [first, *extremes, last]


def orders(rows):
    """The strategy: at these closes, these orders (kind, price or offset, limit)."""
    for index, row in enumerate(rows, 1):
        close = Decimal(row["Close"])
        if index % 50 == 0:
            yield index, f"limit-{index}", "buy", close - Decimal("0.00100"), None
        if index % 70 == 0:
            yield index, f"stop-{index}", "sell-stop", close - Decimal("0.00200"), None
        if index % 90 == 0:
            yield index, f"stoplimit-{index}", "buy-stop-limit", close + Decimal("0.00150"), close + Decimal("0.00100")
        if index % 110 == 0:
            yield index, f"trailing-{index}", "trailing-sell", Decimal("0.00300"), None


def fill(rows, placed, kind, price, limit):
    """Walk the rows after the order was placed; return (row, price) of the fill."""
    reference, triggered = Decimal(rows[placed - 1]["Close"]), False
    for index, row in enumerate(rows[placed:], placed + 1):
        previous = None  # the open is a jump, not a line
        for bid in path(row):
            ask, jump = bid + SPREAD, previous is None
            if kind == "buy" and ask <= price:
                return index, ask if jump else price
            if kind == "sell-stop" and bid <= price:
                return index, bid if jump else price
            if kind == "trailing-sell":
                if bid <= reference - price:
                    return index, bid if jump else reference - price
                reference = max(reference, bid)
            if kind == "buy-stop-limit":
                if triggered and ask <= limit:
                    return index, ask if jump else limit
                triggered = triggered or ask >= price
            previous = bid
    return None


if __name__ == "__main__":
    with Path(sys.argv[1]).open(newline="") as file:
        data = list(csv.DictReader(file))
    found = {name: fill(data, placed, kind, price, limit) for placed, name, kind, price, limit in orders(data)}
    print(json.dumps({name: one and [one[0], str(one[1])] for name, one in found.items()}))

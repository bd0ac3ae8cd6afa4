"""Defects, one at a time, in a copy of the engine in memory. A rule must catch each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.mutation import Mutant
from tests.mutation import Source
from tests.mutation import first_broken
from tests.paper.kit import Bench
from tests.paper.test_rules import RULES

MUTANTS = [
    # path
    Mutant("path", "down = candle.open - candle.low <= candle", "down = candle.open - candle.low < candle"),
    Mutant("path", "down = candle.open - candle.low <= candle", "down = candle.open - candle.low >= candle"),
    Mutant("path", "self.bid0 + self.spread if side is Side.BUY", "self.bid0 + self.spread if side is Side.SELL"),
    Mutant("path", "self.bid1 + self.spread if side is Side.BUY", "self.bid1 - self.spread if side is Side.BUY"),
    Mutant("path", "(start == level and not strict)", "(start == level and strict)"),
    Mutant("path", "        return level\n", "        return end\n"),
    Mutant("path", "bid = price - self.spread if side", "bid = price + self.spread if side"),
    Mutant("path", "price - spread / 2", "price"),
    Mutant("path", "candle.ts_close - 1]", "candle.ts_close + 1]"),
    Mutant("path", "if leg.ts0 < ts < leg.ts1", "if leg.ts0 > ts > leg.ts1"),
    # trailing
    Mutant("trailing", "price <= best if self.side is Side.SELL", "price >= best if self.side is Side.SELL"),
    Mutant(
        "trailing",
        "return to_step(self.reference - offset, self.step, up=False)",
        "return to_step(self.reference - offset, self.step, up=True)",
    ),
    Mutant(
        "trailing",
        "return to_step(self.reference + offset, self.step, up=True)",
        "return to_step(self.reference + offset, self.step, up=False)",
    ),
    Mutant("trailing", "price >= start if self.side is Side.SELL", "price > start if self.side is Side.SELL"),
    Mutant("trailing", "mul(self.spec.offset, self.step)", "self.spec.offset"),
    # matching
    Mutant("matching", "_TRIGGER: Final = 0", "_TRIGGER: Final = 2"),
    Mutant("matching", "if not walk.opening and _stop_follows", "if _stop_follows"),
    Mutant("matching", "if not walk.opening and _stop_follows", "if False and _stop_follows"),
    Mutant(
        "matching",
        "rising=side is Side.BUY)\n        rank = _TRIGGER",
        "rising=side is Side.SELL)\n        rank = _TRIGGER",
    ),
    Mutant("matching", "ends and price == leg.end", "ends and price != leg.end"),
    Mutant("matching", "return ends and price", "return False and price"),
    Mutant("matching", "else -abs(working.limit - price)", "else abs(working.limit - price)"),
    Mutant("matching", "        expire_due(state, instrument_id, leg.ts0)\n", ""),
    Mutant("matching", "        _trail(state, instrument_id, leg.ts1)\n", ""),
    Mutant("matching", "holding.protected_since <= walk.leg.ts0", "True"),
    Mutant("matching", "        stop_out(state, instrument_id, leg.ts1)\n", ""),
    Mutant("matching", '== "through"', '!= "through"'),
    Mutant("matching", "min(dues, key", "max(dues, key"),
    Mutant("matching", "takes = not working.seen", "takes = working.seen"),
    # execution
    Mutant("execution", "quantity < working.order.leaves", "quantity <= working.order.leaves"),
    Mutant("execution", "quantity = min(quantity, left)", "quantity = left"),
    Mutant("execution", "if working.reduces else quantity", "if not working.reduces else quantity"),
    Mutant("execution", "elif quantity and not _affords", "elif quantity and _affords"),
    Mutant("execution", "if quantity <= target.quantity", "if quantity >= target.quantity"),
    Mutant("execution", "side=holding.side.opposite", "side=holding.side"),
    Mutant("execution", "working.active, working.seen = True, False", "working.active, working.seen = True, True"),
    Mutant("execution", "rested = working.seen and", "rested = not working.seen and"),
    Mutant("swap", "rate * count", "rate"),
    # settle, holdings, ledger
    Mutant("settle", "closing = min(quantity, target.quantity)", "closing = quantity"),
    Mutant("settle", "add(order.filled, quantity)", "quantity"),
    Mutant("settle", "    traded(state, working, ts)\n", ""),
    Mutant("settle", "take(request.side, quantity)", "take(request.side.opposite, quantity)"),
    Mutant("settle", "mul(quantity, price)),\n", "price),\n"),
    Mutant("settle", "cost=add(order.cost, mul(quantity, price))", "cost=mul(quantity, price)"),
    Mutant("holdings", "sub(worth, cost) if self.side is Side.BUY", "sub(cost, worth) if self.side is Side.BUY"),
    Mutant("holdings", "self.cost = sub(self.cost, cost)", "self.cost = sub(self.cost, gain)"),
    Mutant("holdings", "max(levels) if self.side is Side.BUY", "min(levels) if self.side is Side.BUY"),
    Mutant("ledger", "sub(amount, posted)", "sub(posted, amount)"),
    Mutant("ledger", "rounding=ROUND_HALF_EVEN", 'rounding="ROUND_DOWN"'),
    # margin, stop-out, swap
    Mutant("margin", "max(ZERO, sub(leaves", "min(ZERO, sub(leaves"),
    Mutant("margin", "max(merged.get((one, side)", "sum(merged.get((one, side)"),
    Mutant(
        "margin",
        "wanted = mul(working.reserve_rate, min(working.opening",
        "wanted = mul(working.reserve_rate, max(working.opening",
    ),
    Mutant("margin", "return after <= total(", "return after >= total("),
    Mutant("stop_out", "<= mul(bound", "< mul(bound"),
    Mutant("stop_out", "return min(held", "return max(held"),
    Mutant("sessions", "(1, 1, 3, 1, 1, 0, 0)", "(1, 1, 1, 3, 1, 0, 0)"),
    Mutant("sessions", "_ns(day) <= after", "_ns(day) < after"),
    Mutant("swap", "rates[0] if holding.side is Side.BUY", "rates[1] if holding.side is Side.BUY"),
    # life, acceptance, engine
    Mutant("life", "working.expires <= ts", "working.expires < ts"),
    Mutant("life", "    if not working.order.filled:\n", "    if working.order.filled:\n"),
    Mutant("acceptance", "(price - stop_loss) * sign <= 0", "(price - stop_loss) * sign < 0"),
    Mutant("acceptance", "(take_profit - price) * sign <= 0", "(take_profit - price) * sign < 0"),
    Mutant("acceptance", "working.reduces and not reducible", "False and not reducible"),
    Mutant("book", "not self.held and self.since <= ts", "self.since <= ts"),
    Mutant("book", "not self.held and self.since <= ts", "not self.held"),
    Mutant("book", "not self.held and self.since <= ts", "not self.held and self.since < ts"),
    Mutant("marks", "now - self.ts <= max_age", "now - self.ts < max_age"),
    Mutant("engine", "or bid > ask or", "or"),
    Mutant("engine", "ts < mark.ts <= now", "False"),
    Mutant("commands", "moved or request.quantity > order.request.quantity", "moved"),
    Mutant("commands", "request.quantity <= order.filled", "request.quantity < order.filled"),
    Mutant("lists", "one.siblings = tuple(", "one.siblings = () and tuple("),
]


def engine() -> Source:
    """Compile every module of the engine as it is."""
    return Source(Path(__file__).parents[2] / "builtin_plugins" / "paper")


def catcher(source: Source, mutant: Mutant | None) -> str | None:
    """Return the first rule that a defect breaks, ``None`` if all hold."""
    with source.copy(mutant) as package:
        bench = Bench(package)
        return first_broken((rule.__name__, partial(rule, bench)) for rule in RULES)

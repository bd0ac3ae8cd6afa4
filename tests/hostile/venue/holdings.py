"""Money and positions of one account, by the venue's own sums."""

from __future__ import annotations

from decimal import Decimal

LEVERAGE = 100


class Refused(Exception):
    """The venue refuses; its argument is the code."""


class Holdings:
    """An account: cash has two balances, netting one position, hedging one an opening order."""

    def __init__(self, kind: str, instrument: dict, money: str) -> None:
        self.kind = kind
        self.deposits = Decimal(money)
        self.money = Decimal(money)
        self.base = Decimal(1_000_000)
        self.positions: dict[str, dict] = {}
        self._contract = Decimal(instrument["contract"])

    def check(self, order: dict, price: Decimal, open_orders: list[dict]) -> None:
        """Refuse an order that there is no money, or nothing to reduce, for."""
        quantity = Decimal(order["quantity"])
        if order["position"] is not None and order["position"] not in self.positions:
            raise Refused("reduce-only")
        if order["reduce_only"] and self.reducible(order) <= 0:
            raise Refused("reduce-only")
        if self.kind == "cash":
            locked = sum(
                left(one) * (price_of(one) or price if one["side"] == "buy" else 1)
                for one in open_orders
                if one["side"] == order["side"]
            )
            needed = quantity * price if order["side"] == "buy" else quantity
            if needed + locked > (self.money if order["side"] == "buy" else self.base):
                raise Refused("insufficient-funds")
        elif not order["reduce_only"] and quantity * self._contract * price / LEVERAGE > self.equity(price, price):
            raise Refused("insufficient-funds")

    def reducible(self, order: dict) -> Decimal:
        """How much an order can reduce."""
        if self.kind == "hedging":
            found = self.positions.get(order["position"] or "")
        else:
            found = next(iter(self.positions.values()), None)
        if found is None or found["side"] == order["side"]:
            return Decimal(0)
        return Decimal(found["quantity"])

    def fill(self, order: dict, quantity: Decimal, price: Decimal, now: int) -> str | None:
        """Book a fill; return the position that it belongs to."""
        sign = 1 if order["side"] == "buy" else -1
        if self.kind == "cash":
            self.money -= sign * quantity * price
            self.base += sign * quantity
            return None
        name = "EURUSD" if self.kind == "netting" else order["position"] or f"P{order['id']}"
        held = self.positions.get(name)
        if held is None or held["side"] == order["side"]:
            self._add(name, order["side"], quantity, price, now)
            return name
        reduced = min(quantity, Decimal(held["quantity"]))
        self._reduce(name, reduced, price, now)
        if quantity > reduced:
            self._add(name, order["side"], quantity - reduced, price, now)
        return name

    def _add(self, name: str, side: str, quantity: Decimal, price: Decimal, now: int) -> None:
        held = self.positions.setdefault(
            name,
            {
                "id": name,
                "side": side,
                "quantity": "0",
                "cost": "0",
                "opened": now,
                "stop_loss": None,
                "take_profit": None,
            },
        )
        held["quantity"] = str(Decimal(held["quantity"]) + quantity)
        held["cost"] = str(Decimal(held["cost"]) + quantity * price)
        held["changed"] = now

    def _reduce(self, name: str, quantity: Decimal, price: Decimal, now: int) -> None:
        held = self.positions[name]
        whole, cost = Decimal(held["quantity"]), Decimal(held["cost"])
        share = cost if quantity == whole else (cost * quantity / whole).quantize(Decimal("1e-9"))
        gain = (quantity * price - share) * (1 if held["side"] == "buy" else -1)
        self.money += gain * self._contract
        if quantity == whole:
            del self.positions[name]
            return
        held |= {"quantity": str(whole - quantity), "cost": str(cost - share), "changed": now}

    def equity(self, bid: Decimal, ask: Decimal) -> Decimal:
        """What the account is worth if it were closed now."""
        if self.kind == "cash":
            return self.money + self.base * bid
        worth = self.money
        for one in self.positions.values():
            quantity, cost = Decimal(one["quantity"]), Decimal(one["cost"])
            worth += ((quantity * bid - cost) if one["side"] == "buy" else (cost - quantity * ask)) * self._contract
        return worth

    def state(self, bid: Decimal, ask: Decimal) -> dict:
        """The account, in the wire's words."""
        return {
            "kind": self.kind,
            "money": str(self.money),
            "base": str(self.base) if self.kind == "cash" else None,
            "equity": str(self.equity(bid, ask)),
            "deposits": str(self.deposits),
        }


def left(order: dict) -> Decimal:
    """What of an order has neither filled nor been canceled."""
    return Decimal(order["quantity"]) - Decimal(order["filled"]) - Decimal(order["canceled"])


def price_of(order: dict) -> Decimal | None:
    """The price that an order names."""
    return None if order["price"] is None else Decimal(order["price"])

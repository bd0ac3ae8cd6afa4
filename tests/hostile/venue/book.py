"""The venue's truth: a function of everything that happened, and of nothing else. Read again, it is the same."""

from __future__ import annotations

from decimal import Decimal

from tests.hostile.venue.holdings import Holdings
from tests.hostile.venue.holdings import Refused
from tests.hostile.venue.holdings import left
from tests.hostile.venue.settings import accounts_of
from tests.hostile.venue.settings import completed
from tests.hostile.venue.settings import instrument_of

OPEN = ("working", "partly")
COMMANDS = ("submit", "submit_list", "cancel", "cancel_all", "amend", "close", "protect")


class Book:
    """Orders, fills, accounts and news. ``apply`` is the only way in."""

    def __init__(self, settings: dict) -> None:
        self.settings = completed(settings)
        self.instrument = instrument_of(self.settings)
        self.accounts = {
            name: Holdings(kind, self.instrument, self.settings["money"])
            for name, kind in accounts_of(self.settings).items()
        }
        self.orders: dict[str, dict] = {}
        self.by_client: dict[str, list[str]] = {}
        self.open: dict[str, dict] = {}
        self.fills: list[dict] = []
        self.requests: list[dict] = []
        self.news: list[dict] = []
        self.forgotten = 0
        self.market = (Decimal(self.settings["bid"]), Decimal(self.settings["ask"]), None)
        self._twist: dict = {}
        self._now = 0

    def apply(self, event: dict) -> dict:
        """Let something happen, at the time ``at`` (ms) and bent by ``twist``; return the answer."""
        self._now, self._twist = event["at"], event.get("twist", {})
        before = len(self.news)
        try:
            answer = self._refusal(event) or getattr(self, f"_{event['do']}")(event)
        except Refused as error:
            answer = {"error": str(error)}
        if event["do"] in COMMANDS:
            self._note(event, answer)
        self._bend(before)
        return answer

    def _refusal(self, event: dict) -> dict | None:
        if "drop" in self._twist:
            return {"error": "dropped"}
        if "refuse" in self._twist:
            return {"error": self._twist["refuse"]}
        if event.get("until") is not None and event["until"] < self._now:
            return {"error": "expired-request"}
        return None

    def _note(self, event: dict, answer: dict) -> None:
        orders = event.get("orders") or [event.get("order", {})]
        for order in orders:
            client = order.get("client", event.get("client"))
            error = answer.get("error")
            entry = {
                "do": event["do"],
                "client": client,
                "id": answer.get("id"),
                "taken": error is None,
                "error": error,
            }
            self.requests.append(entry)

    # --- commands

    def _submit(self, event: dict) -> dict:
        return self._taken(event["account"], event["order"])

    def _taken(self, account: str, asked: dict, origin: str = "gateway", group: str | None = None) -> dict:
        order = dict(asked)
        order |= {"id": str(len(self.orders) + 1), "account": account, "origin": origin, "group": group}
        order |= {"state": "working", "filled": "0", "canceled": "0", "cost": "0", "revision": 1}
        order |= {"accepted": self._now, "time": self._now}
        self._check(order)
        self.orders[order["id"]] = self.open[order["id"]] = order
        self.by_client.setdefault(order["client"] or "", []).append(order["id"])
        self._say("order", order)
        if "fill_part" in self._twist:
            self._fill(order, max(left(order) // 2 // self._step * self._step, self._step), self._touch(order))
        else:
            self._match(order)
        if order["tif"] in ("ioc", "fok") and order["state"] in OPEN and order["trigger"] is None:
            self._end(order)
        return dict(order)

    def _check(self, order: dict) -> None:
        quantity, price, trigger = (
            None if order[name] is None else Decimal(order[name]) for name in ("quantity", "price", "trigger")
        )
        if quantity is None or quantity <= 0 or quantity % self._step:
            raise Refused("invalid")
        touch = self._touch(order)
        buys = order["side"] == "buy"
        if trigger is not None and (trigger <= touch if buys else trigger >= touch):
            raise Refused("invalid-stops")
        if order["post_only"] and price is not None and (price >= touch if buys else price <= touch):
            raise Refused("would-take")
        others = [one for one in self.open.values() if one["account"] == order["account"]]
        self.accounts[order["account"]].check(order, price or trigger or touch, others)

    def _submit_list(self, event: dict) -> dict:
        group = f"G{len(self.orders)}"
        orders = event["orders"][:1] if "half" in self._twist else event["orders"]
        taken = [self._taken(event["account"], order, group=group) for order in orders]
        return {"orders": [dict(self.orders[one["id"]]) for one in taken]}

    def _cancel(self, event: dict) -> dict:
        order = self._named(event)
        if "fill_first" in self._twist:
            self._fill(order, left(order), self._price(order))
        if order["state"] not in OPEN:
            raise Refused("too-late")
        self._end(order)
        return dict(order)

    def _named(self, event: dict) -> dict:
        ids = [event["id"]] if event.get("id") else self.by_client.get(event.get("client") or "?", [])
        found = [
            self.orders[one] for one in ids if one in self.orders and self.orders[one]["account"] == event["account"]
        ]
        if not found:
            raise Refused("unknown-order")
        return found[-1]

    def _cancel_all(self, event: dict) -> dict:
        found = [one for one in self.open.values() if one["account"] == event["account"]]
        if "half" in self._twist:
            found = found[: len(found) // 2]
        for order in found:
            self._end(order)
        return {"orders": [dict(one) for one in found]}

    def _amend(self, event: dict) -> dict:
        order = self._named(event)
        if order["state"] not in OPEN:
            raise Refused("too-late")
        changed = order | {name: value for name, value in event["change"].items() if value is not None}
        if Decimal(changed["quantity"]) <= Decimal(order["filled"]):
            raise Refused("invalid")
        order |= changed | {"time": self._now, "revision": order["revision"] + 1}
        self._say("order", order)
        self._match(order)
        return dict(order)

    def _close(self, event: dict) -> dict:
        holdings = self.accounts[event["account"]]
        name = event["position"] or ("EURUSD" if holdings.kind == "netting" else "")
        held = holdings.positions.get(name)
        if held is None:
            raise Refused("unknown-position")
        order = self._closing(held, event["quantity"] or held["quantity"], event["client"])
        return self._taken(event["account"], order)

    def _closing(self, held: dict, quantity: str, client: str | None) -> dict:
        side = "sell" if held["side"] == "buy" else "buy"
        order = {"client": client, "type": "market", "side": side, "quantity": quantity, "price": None, "trigger": None}
        return order | {"tif": "ioc", "post_only": False, "reduce_only": True, "position": held["id"]}

    def _protect(self, event: dict) -> dict:
        held = self.accounts[event["account"]].positions.get(event["position"] or "EURUSD")
        if held is None:
            raise Refused("unknown-position")
        held |= {"stop_loss": event["stop_loss"], "take_profit": event["take_profit"], "changed": self._now}
        return {}

    # --- what tests and the world do

    def _quote(self, event: dict) -> dict:
        size = event.get("size")
        self.market = (Decimal(event["bid"]), Decimal(event["ask"]), None if size is None else Decimal(size))
        for order in list(self.open.values()):
            self._match(order)
        for name, holdings in self.accounts.items():
            for held in list(holdings.positions.values()):
                self._protective(name, held)
        return {}

    def _protective(self, account: str, held: dict) -> None:
        bid, ask, _ = self.market
        buys = held["side"] == "buy"
        price = bid if buys else ask
        stop, target = held["stop_loss"], held["take_profit"]
        stopped = stop is not None and (price <= Decimal(stop) if buys else price >= Decimal(stop))
        reached = target is not None and (price >= Decimal(target) if buys else price <= Decimal(target))
        if stopped or reached:
            self._taken(account, self._closing(held, held["quantity"], None), origin="venue")

    def _stop_out(self, event: dict) -> dict:
        for held in list(self.accounts[event["account"]].positions.values()):
            self._taken(event["account"], self._closing(held, held["quantity"], None), origin="venue")
        return {}

    def _external(self, event: dict) -> dict:
        return self._taken(event["account"], event["order"], origin="external")

    def _deposit(self, event: dict) -> dict:
        holdings = self.accounts[event["account"]]
        holdings.money += Decimal(event["amount"])
        holdings.deposits += Decimal(event["amount"])
        return {}

    def _fill_order(self, event: dict) -> dict:
        order = self._named(event)
        quantity = left(order) if event.get("quantity") is None else Decimal(event["quantity"])
        self._fill(order, quantity, self._price(order))
        return dict(order)

    def _gift(self, event: dict) -> dict:
        """Change a position without a trade, and tell nobody."""
        order = {"id": "0", "side": event["side"], "position": event.get("position")}
        price = self._touch(order)
        self.accounts[event["account"]].fill(order, Decimal(event["quantity"]), price, self._now)
        return {}

    def _forget(self, event: dict) -> dict:
        self.forgotten = len(self.news)
        return {}

    # --- matching

    @property
    def _step(self) -> Decimal:
        return Decimal(self.instrument["step"])

    def _touch(self, order: dict) -> Decimal:
        bid, ask, _ = self.market
        return ask if order["side"] == "buy" else bid

    def _price(self, order: dict) -> Decimal:
        return self._touch(order) if order["price"] is None else Decimal(order["price"])

    def _crosses(self, order: dict) -> bool:
        price, buys = self._touch(order), order["side"] == "buy"
        trigger = order["trigger"]
        if trigger is not None and order["state"] == "working":
            return price >= Decimal(trigger) if buys else price <= Decimal(trigger)
        limit = order["price"]
        return limit is None or (price <= Decimal(limit) if buys else price >= Decimal(limit))

    def _match(self, order: dict) -> None:
        if order["state"] not in OPEN or not self._crosses(order):
            return
        bid, ask, size = self.market
        wanted = left(order)
        if order["reduce_only"]:
            wanted = min(wanted, self.accounts[order["account"]].reducible(order))
        quantity = wanted if size is None else min(wanted, size)
        if order["tif"] == "fok" and quantity < left(order):
            quantity = Decimal(0)
        if size is not None:
            self.market = (bid, ask, size - quantity)
        if quantity > 0:
            self._fill(order, quantity + (self._step if "overfill" in self._twist else 0), self._touch(order))
        if order["reduce_only"] and order["state"] in OPEN and not self.accounts[order["account"]].reducible(order):
            self._end(order)

    def _fill(self, order: dict, quantity: Decimal, price: Decimal) -> None:
        if quantity <= 0 or order["state"] not in OPEN:
            return
        filled = Decimal(order["filled"]) + quantity
        position = self.accounts[order["account"]].fill(order, quantity, price, self._now)
        order |= {"filled": str(filled), "cost": str(Decimal(order["cost"]) + quantity * price)}
        fill = {"id": str(len(self.fills) + 1), "order": order["id"], "client": order["client"], "position": position}
        fill |= {"account": order["account"], "side": order["side"], "quantity": str(quantity), "price": str(price)}
        self.fills.append(fill | {"time": self._now})
        self._say("fill", self.fills[-1])
        self._become(order, "done" if filled >= Decimal(order["quantity"]) else "partly")
        for other in list(self.open.values()):
            if order["group"] is not None and other["group"] == order["group"] and other is not order:
                self._end(other)

    def _end(self, order: dict) -> None:
        order["canceled"] = str(left(order))
        self._become(order, "canceled")

    def _become(self, order: dict, state: str) -> None:
        order |= {"state": state, "time": self._now, "revision": order["revision"] + 1}
        if state not in OPEN:
            self.open.pop(order["id"], None)
        self._say("order", order)

    # --- news

    def _say(self, kind: str, news: dict) -> None:
        self.news.append({kind: dict(news)})

    def _bend(self, before: int) -> None:
        """Let the news of this event be what the mood makes of them."""
        fresh = self.news[before:]
        if "lose_fill" in self._twist:
            lost = next((one for one in fresh if "fill" in one), None)
            fresh = [one for one in fresh if one is not lost]
        if "lose_news" in self._twist:
            fresh = []
        if "reorder" in self._twist:
            fresh = fresh[::-1]
        if "duplicate" in self._twist:
            fresh = [one for one in fresh for _ in range(2)]
        self.news[before:] = fresh

    # --- reading

    def listing(self, what: str, request: dict) -> list[dict]:
        """What there is of an account: ``orders`` (``open`` only, or since a time), ``fills`` or ``positions``."""
        account = request["account"]
        if what == "positions":
            return list(self.accounts[account].positions.values())
        rows = self.open.values() if request.get("open") else self.orders.values() if what == "orders" else self.fills
        since = request.get("since") or 0
        return [one for one in rows if one["account"] == account and one["time"] >= since]

    def lookup(self, request: dict, now: int) -> dict | None:
        """An order by our id or the client's; one that is too new is not found where look-ups lag."""
        try:
            order = self._named(request)
        except Refused:
            return None
        lags = self.settings["proof"] == "by_id+lag" and now - order["accepted"] < self.settings["lag"] * 1000
        return None if lags else order

    def ledger(self) -> dict:
        """Everything, for a checker."""
        positions = [
            {"account": name, **one} for name, held in self.accounts.items() for one in held.positions.values()
        ]
        return {
            "requests": self.requests,
            "orders": list(self.orders.values()),
            "fills": self.fills,
            "positions": positions,
            "news": len(self.news),
        }

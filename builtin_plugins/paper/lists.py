"""Orders that come as a list: one cancels the other, one triggers the others, or an entry with its protection."""

from __future__ import annotations

from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.times import Ns

from .acceptance import prepare
from .book import Working
from .state import State

_BRACKET = 3


def check_list(orders: OrderList) -> None:
    """Check what makes a list of orders.

    Raises:
        InvalidOrder: naming the rule.
    """
    members = orders.orders
    if len(members) < 2:  # noqa: PLR2004  one order is no list
        raise InvalidOrder("a list has two orders or more")
    if len({(one.account, one.instrument_id) for one in members}) > 1:
        raise InvalidOrder("the orders of a list are for one account and one instrument")
    if len({one.client_order_id for one in members}) < len(members):
        raise InvalidOrder("the orders of a list have different ids")
    if orders.contingency is Contingency.BRACKET:
        _check_bracket(members)


def _check_bracket(members: tuple[OrderRequest, ...]) -> None:
    parent, *legs = members
    kinds = sorted(leg.type is OrderType.LIMIT for leg in legs)
    if len(members) != _BRACKET or kinds != [False, True] or any(leg.type is OrderType.MARKET for leg in legs):
        raise InvalidOrder("a bracket is an entry, a limit that takes profit and a stop that ends the loss")
    if any(leg.side is parent.side or leg.quantity > parent.quantity for leg in legs):
        raise InvalidOrder("the legs of a bracket are against its entry and not larger")


def prepare_list(state: State, orders: OrderList, now: Ns) -> list[Working]:
    """Check every order of a list and make all ready; children are held for the first.

    Raises:
        Denied, Rejected: as for one order; then none is taken.
    """
    check_list(orders)
    if orders.contingency is Contingency.OCO:
        return [prepare(state, one, now) for one in orders.orders]
    reduces = orders.contingency is Contingency.BRACKET
    parent, *children = orders.orders
    return [prepare(state, parent, now), *(prepare(state, one, now, held=True, reduces=reduces) for one in children)]


def tie(orders: OrderList, taken: list[Working]) -> None:
    """Tie the orders of a list together, once they have ids."""
    members = taken
    if orders.contingency is not Contingency.OCO:
        parent, *members = taken
        for child in members:
            child.parent = parent.id
    if orders.contingency is not Contingency.OTO:
        for one in members:
            one.siblings = tuple(other.id for other in members if other is not one)

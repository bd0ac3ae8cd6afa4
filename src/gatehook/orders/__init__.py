"""Orders: the journal, the desk that every trading command passes, and the handle that callers hold."""

from gatehook.orders.access import BrokerAccess
from gatehook.orders.access import CallKind
from gatehook.orders.desk import Desk
from gatehook.orders.handle import BrokerHandle
from gatehook.orders.journal import Journal
from gatehook.orders.records import Change
from gatehook.orders.records import Command

__all__ = ["BrokerAccess", "BrokerHandle", "CallKind", "Change", "Command", "Desk", "Journal"]

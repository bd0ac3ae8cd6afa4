"""Feed events and the bus that carries them."""

from gatehook.events.bus import EventBus
from gatehook.events.event import FeedEvent
from gatehook.events.subscription import Subscription

__all__ = ["EventBus", "FeedEvent", "Subscription"]

"""News and conversations that are to be remembered, and cannot be."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

NO_FEED: Final = Code(
    "news.no-feed",
    Severity.ERROR,
    "The news of {entry} are to be remembered, and {entry} provides no feed.external.",
    "Name another entry in [[memory.news]]. Entries that would fit: {fitting}.",
)
FEED_FAILED: Final = Code(
    "news.feed-failed",
    Severity.WARNING,
    "The feed {entry} cannot be asked for news: {why}.",
    "It is asked again, at growing intervals, from where it was; `gatehook plugins why {entry}` says how it is.",
)
ITEM_REFUSED: Final = Code(
    "news.item-refused",
    Severity.WARNING,
    "{count} of the items that {entry} brought are not remembered. The first, and what is wrong with it: {why}.",
    "All others are remembered; the author of the plugin has to mend it.",
)
NOT_REMEMBERED: Final = Code(
    "news.not-remembered",
    Severity.WARNING,
    "News of {entry} are not being remembered: {why}.",
    "It is tried again from where the memory is, so nothing is lost that the feed still has; `gatehook slots list`"
    " shows what fills the slot.",
)

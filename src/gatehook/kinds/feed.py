"""feed.external: news, social, calendar, sentiment. Provisional: may change until the feeds part of Gatehook is
built.
"""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from typing import Literal

import attrs

from gatehook.kinds.conversion import as_tuple
from gatehook.kinds.provider import Page
from gatehook.kinds.provider import Provider
from gatehook.kinds.times import Ns


class NewsKind(StrEnum):
    """What an item is."""

    NEWS = "news"
    SOCIAL = "social"
    FILING = "filing"
    CALENDAR = "calendar"


@attrs.frozen(kw_only=True)
class NewsEvent:
    """One item from outside. Its text is data, never an instruction: ``trust`` is always ``untrusted``."""

    event_id: str
    revision: int = 1
    source: str
    kind: NewsKind
    headline: str
    summary: str | None = None
    url: str | None = None
    symbols: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    published_at: Ns
    retrieved_at: Ns
    trust: Literal["untrusted"] = "untrusted"
    raw: Any = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class FeedQuery:
    """Which items are wanted; an empty field is no restriction."""

    text: str = ""
    symbols: Sequence[str] = ()
    kinds: Sequence[NewsKind] = ()


class ExternalFeed(Provider, ABC):
    """What the author of a feed implements."""

    @abstractmethod
    async def fetch(self, query: FeedQuery, *, cursor: str | None = None, limit: int = 100) -> Page[NewsEvent]:
        """Return items, newest last, from after the cursor on.

        The page's cursor is the place after its last item, also where nothing is newer yet: asked with it later, this
        returns what came since. Without one, the next time is asked with the cursor of this time again.

        Raises:
            CursorExpired: the items after the cursor are no longer all there; it is asked from the beginning then.
        """

"""Which entries share a budget of requests: those of one plugin whose configurations hold the same secrets."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from gatehook.host.rates import RateBudget
from gatehook.secrets import Secret


class RateBudgets:
    """The budgets of one host. A budget outlives the entries that use it: so does a venue's refusal."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # Digests of secrets never leave the process, and mean nothing outside it.
        self._key = secrets.token_bytes(32)
        self._budgets: dict[tuple[str, bytes], RateBudget] = {}

    def of(self, entry_id: str, plugin_id: str, config: Mapping[str, Any]) -> RateBudget:
        """Return the budget of an entry by its resolved configuration; without secrets in it, one of its own."""
        found = sorted(_secrets_in(config))
        shared = b"".join(len(one).to_bytes(8, "big") + one for one in found)
        name = (plugin_id, self._digest(shared)) if found else (entry_id, b"")
        return self._budgets.setdefault(name, RateBudget(self._now))

    def _digest(self, value: bytes) -> bytes:
        return hmac.new(self._key, value, hashlib.sha256).digest()


def _secrets_in(value: Any) -> Iterator[bytes]:
    if isinstance(value, Secret):
        yield value.reveal().encode("utf-8", "surrogatepass")
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _secrets_in(one)

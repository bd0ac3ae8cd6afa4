"""``grants.json``: the grants and what was used of them, with a code that only the holder of the audit key can make."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import Final

import attrs

from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import guard as codes
from gatehook.guard.grant import WINDOW
from gatehook.guard.grant import Grant
from gatehook.guard.grant import Moment
from gatehook.guard.grant import Use
from gatehook.guard.grant import Uses
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns

FILE_NAME: Final = "grants.json"
_VERSION: Final = 1
_PURPOSE: Final = b"gatehook grants 1\n"  # the audit's key signs nothing else in this form


@attrs.frozen(kw_only=True)
class _Kept:
    """A grant on disk; ``left`` is the rest of its lifetime, ``ages`` those of its last orders, in nanoseconds."""

    grant: Grant
    left: int
    day: int
    worth: Decimal
    ages: tuple[int, ...]


@attrs.frozen(kw_only=True)
class _Body:
    version: int
    saved_at: Ns
    grants: tuple[_Kept, ...]


@attrs.frozen
class GrantFile:
    """The file in a data directory."""

    data_dir: Path
    key: bytes = attrs.field(repr=False)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.data_dir / FILE_NAME

    def read(self, now: Moment) -> tuple[Uses, tuple[Diagnostic, ...]]:
        """Return the grants that are left, and what is wrong with the file, which is then kept aside."""
        try:
            body = self._body(read_record(self.path))
        except FileNotFoundError:
            return MappingProxyType({}), ()
        except RecordUnusable as unusable:
            return MappingProxyType({}), (self._damaged(str(unusable), now),)
        found = {one.grant.grant_id: _use(one, body.saved_at, now) for one in body.grants}
        return MappingProxyType({name: use for name, use in found.items() if not use.is_over(now)}), ()

    def write(self, uses: Mapping[str, Use], now: Moment) -> None:
        """Replace the file, durably.

        Raises:
            OSError: it holds what it held, or, where only its name is not known to be durable, the new content.
        """
        kept = tuple(_kept(use, now) for use in uses.values())
        body = to_json(_Body(version=_VERSION, saved_at=now.wall, grants=kept))
        write_record(self.path, {"mac": self._mac(body), "body": body})

    def _body(self, record: Any) -> _Body:
        if not isinstance(record, Mapping) or record.keys() != {"mac", "body"} or not isinstance(record["mac"], str):
            raise RecordUnusable("it holds no grants")
        if not hmac.compare_digest(record["mac"].encode(), self._mac(record["body"]).encode()):
            raise RecordUnusable("something else than Gatehook wrote to it, or the audit's key is another one")
        try:
            body = from_json(_Body, record["body"])
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, it gives no grants
            raise RecordUnusable(f"it holds no grants ({type(error).__name__})") from None
        if body.version != _VERSION:
            raise RecordUnusable(f"it has version {body.version}, this Gatehook knows version {_VERSION}")
        return body

    def _mac(self, body: Any) -> str:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.new(self.key, _PURPOSE + text.encode(), hashlib.sha256).hexdigest()

    def _damaged(self, problem: str, now: Moment) -> Diagnostic:
        aside = self.path.with_name(f"{FILE_NAME}.damaged-{now.wall}")
        try:
            self.path.replace(aside)
        except OSError as error:
            return codes.GRANTS_DAMAGED(path=self.path, problem=problem, kept=f"{FILE_NAME} ({words_of(error)})")
        return codes.GRANTS_DAMAGED(path=self.path, problem=problem, kept=aside.name)


def words_of(error: OSError) -> str:
    """Say what the system says, without the path."""
    return error.strerror or type(error).__name__


def _kept(use: Use, now: Moment) -> _Kept:
    return _Kept(
        grant=use.grant,
        left=int((use.deadline - now.monotonic) * SECOND),
        day=use.day,
        worth=use.worth,
        ages=tuple(int((now.monotonic - at) * SECOND) for at in use.recent if at > now.monotonic - WINDOW),
    )


def _use(kept: _Kept, saved_at: Ns, now: Moment) -> Use:
    """Continue a use after a restart. A clock that was set back meanwhile makes nothing younger or longer."""
    away = max(0, now.wall - saved_at)
    left = min(kept.left - away, kept.grant.expires_at - now.wall)
    return Use(
        grant=kept.grant,
        deadline=now.monotonic + left / SECOND,
        day=kept.day,
        worth=kept.worth,
        recent=tuple(now.monotonic - (age + away) / SECOND for age in kept.ages),
    )

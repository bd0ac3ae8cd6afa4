"""The grants of a gateway: given, used up, revoked, and kept so that only Gatehook can have written them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any
from typing import Final

import anyio
import anyio.to_thread

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import guard as codes
from gatehook.guard.facts import CommandFacts
from gatehook.guard.grant import Grant
from gatehook.guard.grant import Moment
from gatehook.guard.grant import Use
from gatehook.guard.grant import Uses
from gatehook.guard.grant_file import GrantFile
from gatehook.guard.grant_file import words_of
from gatehook.kinds.errors import PermissionDenied
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns

#: Seconds: a grant lives no longer.
LONGEST_LIFETIME: Final = 366 * 24 * 3600.0
MOST_GRANTS: Final = 100
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# How much lifetime a killed gateway may forget, where the clock was set back as well.
_SAVE_EVERY: Final = 60.0


class Grants:
    """What persons allowed in advance. All methods may be called from any thread; those that write block on the disk.

    A use is written before ``consume`` returns. Expiry is by the wall clock and by the monotonic clock, whichever is
    first: a clock that is set back revives nothing.
    """

    def __init__(
        self,
        file: GrantFile,
        *,
        wall: Callable[[], Ns],
        monotonic: Callable[[], float],
        day_start: str = "00:00",
    ) -> None:
        hours, _, minutes = day_start.partition(":")
        self._offset = int(hours) * HOUR + int(minutes) * MINUTE
        self._wall = wall
        self._monotonic = monotonic
        self._file = file
        self._turn = Lock()
        self._limiter = anyio.CapacityLimiter(1)
        self._uses: Uses = MappingProxyType({})
        self._saved = monotonic()
        self.diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        key: bytes,
        wall: Callable[[], Ns],
        monotonic: Callable[[], float],
        day_start: str = "00:00",
    ) -> Grants:
        """Read ``grants.json``; blocking. A file that was damaged or edited gives no grants, is kept aside, and is in
        ``diagnostics``.

        Args:
            data_dir: where the file is.
            key: of the audit; the file is authenticated with a key made from it.
            wall: the machine's time.
            monotonic: seconds that never jump.
            day_start: ``HH:MM`` in UTC, when a day's worth starts anew.
        """
        file = GrantFile(data_dir, key)
        grants = cls(file, wall=wall, monotonic=monotonic, day_start=day_start)
        now = grants._now()
        grants._uses, grants.diagnostics = file.read(now)
        return grants

    def all(self) -> tuple[Grant, ...]:
        """Return the grants that are left, in the order they were given."""
        now = self._now()
        return tuple(use.grant for use in self._uses.values() if not use.is_over(now))

    def covering(self, facts: CommandFacts) -> Grant | None:
        """Return the first grant that covers every order of a command, or ``None``. Nothing is used up."""
        now = self._now()
        return next((use.grant for use in self._uses.values() if use.covers(facts, now)), None)

    async def consume(self, grant_id: str, facts: CommandFacts) -> None:
        """Use a grant for a command, durably.

        Raises:
            PermissionDenied: when it no longer covers the command; nothing was used.
            StorageUnavailable: when the use cannot be written; nothing was used.
        """
        await anyio.to_thread.run_sync(self._consume, grant_id, facts, limiter=self._limiter)

    def _consume(self, grant_id: str, facts: CommandFacts) -> None:
        with self._turn:
            now = self._now()
            use = self._uses.get(grant_id)
            if use is None or not use.covers(facts, now):
                raise PermissionDenied(f"the grant {grant_id} does not cover this command any more")
            left = use.after(facts, now)
            if left == use:  # it has nothing to count: only its time ends
                return
            try:
                self._keep({**self._uses, grant_id: left}, now)
            except OSError as error:
                raise StorageUnavailable(
                    f"the use of the grant {grant_id} cannot be written: {words_of(error)}"
                ) from None

    def grant(self, *, caller: str, lifetime: float, given_by: str, uses: int | None = None, **scope: Any) -> Grant:
        """Give a grant; blocking, durable.

        Args:
            caller: a pattern: who may.
            lifetime: seconds until it expires.
            given_by: the person.
            uses: how many commands it allows; ``None`` is any number.
            scope: what else ``Grant`` limits: ``entry``, ``account``, ``symbols``, ``sides``, ``types``,
                ``max_notional``, ``max_daily_notional``, ``rate_per_minute``.

        Raises:
            GatehookError: ``guard.grant-invalid``, ``guard.grants-not-written``; nothing was given.
        """
        with self._turn:
            now = self._now()
            given = self._made(now, caller=caller, lifetime=lifetime, given_by=given_by, uses_left=uses, **scope)
            use = Use(grant=given, deadline=now.monotonic + lifetime, day=now.day)
            self._write({**self._uses, given.grant_id: use}, now, "no grant was given")
        return given

    def _made(self, now: Moment, *, lifetime: float, **fields: Any) -> Grant:
        if not (isinstance(lifetime, int | float) and 0 < lifetime <= LONGEST_LIFETIME):
            problem = f"its lifetime is above zero and at most {LONGEST_LIFETIME:.0f} seconds"
            raise GatehookError(codes.GRANT_INVALID(problem=problem))
        if len(self._alive(now)) >= MOST_GRANTS:
            raise GatehookError(codes.GRANT_INVALID(problem=f"there are {MOST_GRANTS} grants already; revoke some"))
        expires_at = now.wall + int(lifetime * SECOND)
        try:
            return Grant(grant_id=self._new_id(), expires_at=expires_at, given_at=now.wall, **fields)
        except (TypeError, ValueError) as error:
            raise GatehookError(codes.GRANT_INVALID(problem=str(error))) from None

    def _new_id(self) -> str:
        while (found := "G" + "".join(secrets.choice(_LETTERS) for _ in range(8))) in self._uses:
            pass
        return found

    def revoke(self, grant_id: str) -> Grant:
        """Take a grant back: in memory first, then durably; blocking.

        Raises:
            GatehookError: ``guard.grant-unknown``; ``guard.grants-not-written``, when a restart would bring it back.
        """
        with self._turn:
            now = self._now()
            rest = dict(self._uses)
            use = rest.pop(grant_id, None)
            if use is None or use.is_over(now):
                raise GatehookError(codes.GRANT_UNKNOWN(grant=repr(grant_id)))
            self._uses = MappingProxyType(rest)
            self._write(rest, now, f"{grant_id} is revoked until the next restart, which would bring it back")
        return use.grant

    async def expire(self) -> tuple[Grant, ...]:
        """Drop what has expired and return it. The owner of the desk calls it every few seconds: what it dropped stays
        dropped whatever the clock says after a restart.

        Raises:
            GatehookError: ``guard.grants-not-written``; the grants are expired all the same.
        """
        now = self._now()
        due = now.monotonic - self._saved >= _SAVE_EVERY
        if not self._uses or not (due or any(use.is_over(now) for use in self._uses.values())):
            return ()
        return await anyio.to_thread.run_sync(self._expire, limiter=self._limiter)

    def _expire(self) -> tuple[Grant, ...]:
        with self._turn:
            now = self._now()
            over = tuple(use.grant for use in self._uses.values() if use.is_over(now))
            self._uses = MappingProxyType(self._alive(now))
            self._write(dict(self._uses), now, "what expired is expired until the next restart")
        return over

    def _alive(self, now: Moment) -> dict[str, Use]:
        return {grant_id: use for grant_id, use in self._uses.items() if not use.is_over(now)}

    def _write(self, uses: dict[str, Use], now: Moment, consequence: str) -> None:
        try:
            self._keep(uses, now)
        except OSError as error:
            problem = words_of(error)
            raise GatehookError(
                codes.GRANTS_NOT_WRITTEN(path=self._file.path, problem=problem, consequence=consequence)
            ) from None

    def _keep(self, uses: dict[str, Use | None] | dict[str, Use], now: Moment) -> None:
        """Write first, then let everybody see it; ``None`` is used up."""
        kept = {grant_id: use for grant_id, use in uses.items() if use is not None and not use.is_over(now)}
        self._file.write(kept, now)
        self._uses = MappingProxyType(kept)
        self._saved = now.monotonic

    def _now(self) -> Moment:
        wall = self._wall()
        return Moment(wall=wall, monotonic=self._monotonic(), day=(wall - self._offset) // DAY)

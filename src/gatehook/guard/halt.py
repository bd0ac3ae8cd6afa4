"""The halt: what may open no new risk, latched in memory and kept in a file that needs no gateway."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

import attrs

from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import guard as codes
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.times import Ns

#: The scope of everything.
ALL: Final = "all"
FILE_NAME: Final = "halt.json"

_SCOPE: Final = re.compile(r"all|entry:[^/\s]+|account:[^/\s]+/\S+|subscription:\S+")
# A file system stamps files with a coarse clock, and uses inode numbers again: only a stamp older than this tells a
# changed file from an unchanged one.
_SETTLED: Final = 100_000_000
_VERSION: Final = 1
_LOCK_SECONDS: Final = 5.0
_LOCK_PAUSE: Final = 0.01

_Stamp = tuple[int, int, int]


@attrs.frozen(kw_only=True)
class HaltRecord:
    """What is halted, why, by whom and since when (the machine's time).

    Attributes:
        scope: ``all``, ``entry:ID``, ``account:ENTRY/ACCOUNT`` or ``subscription:NAME``.
    """

    scope: str
    reason: str
    by: str
    at: Ns

    def covers(self, account: AccountKey, owner: str) -> bool:
        """Say whether it stops an order of ``owner`` on ``account``."""
        return self.scope in _scopes(account, owner)


@attrs.frozen(kw_only=True)
class _File:
    """What the file holds."""

    version: int
    records: tuple[HaltRecord, ...]


def check_scope(scope: str) -> None:
    """Check the form of a scope.

    Raises:
        GatehookError: ``halt.scope``.
    """
    if not _SCOPE.fullmatch(scope):
        raise GatehookError(codes.HALT_SCOPE(scope=repr(scope)))


class Halt:
    """The latch. Every method may be called from any thread; several processes may use one file.

    A file that is not there halts nothing, one that cannot be read halts everything. A file that vanishes under a
    running process lifts nothing: only ``resume`` does.
    """

    def __init__(self, path: Path, *, wall: Callable[[], Ns] = time.time_ns) -> None:
        self._path = path
        self._wall = wall
        self._guard = Lock()
        self._stamp: _Stamp | None = None
        self._kept: tuple[HaltRecord, ...] = ()
        self._latched: dict[str, HaltRecord] = {}
        self._problem = ""

    @property
    def records(self) -> tuple[HaltRecord, ...]:
        """What is halted now, oldest first. An unreadable file is a record of its own, of the scope ``all``."""
        with self._guard:
            self._look()
            known = {record.scope: record for record in self._kept} | self._latched
            problem = self._problem
        found = tuple(sorted(known.values(), key=lambda record: record.at))
        return (_unreadable(self._path, problem, self._wall()), *found) if problem else found

    @property
    def problem(self) -> str:
        """Why the file cannot be read; empty where it can, and where there is none."""
        with self._guard:
            self._look()
            return self._problem

    def stops(self, account: AccountKey, owner: str) -> HaltRecord | None:
        """Return what halts an order of ``owner`` on ``account``; ``None`` lets it pass. Costs one look at the file's
        stamp while nothing changes.
        """
        with self._guard:
            self._look()
            if not (self._kept or self._latched or self._problem):
                return None
        return next((record for record in self.records if record.covers(account, owner)), None)

    def halt(self, scope: str, *, reason: str, by: str) -> str | None:
        """Halt a scope: in memory at once, then on disk. Halting it again keeps the first record.

        Returns:
            Why it is not on disk (it is halted in this process all the same), or ``None``.

        Raises:
            GatehookError: ``halt.scope``; nothing is halted.
        """
        self.latch(scope, reason=reason, by=by)
        try:
            with self._locked():
                self._write_latched()
        except (OSError, RecordUnusable) as error:
            return f"{self._path} was not written: {_words(error)}"
        return None

    def latch(self, scope: str, *, reason: str, by: str) -> None:
        """Halt a scope in this process, at once and without a look at the disk; ``halt`` makes it last.

        Raises:
            GatehookError: ``halt.scope``; nothing is halted.
        """
        check_scope(scope)
        with self._guard:
            self._latched.setdefault(scope, HaltRecord(scope=scope, reason=reason, by=by, at=self._wall()))

    def resume(self, scope: str, *, by: str) -> None:
        """Lift exactly this scope, on disk first. ``all`` lifts the record of all, not those of narrower scopes; where
        the file cannot be read it is put aside, and with it everything it held.

        Raises:
            GatehookError: ``halt.scope``; ``halt.not-halted``; ``halt.unreadable`` for another scope than ``all``;
                ``halt.not-written``. What was halted stays halted.
        """
        check_scope(scope)
        try:
            with self._locked():
                self._lift(scope, by)
        except OSError as error:
            raise GatehookError(codes.HALT_NOT_WRITTEN(path=self._path, scope=scope, problem=_words(error))) from error

    # --- under the lock of the file

    def _write_latched(self) -> None:
        with self._guard:
            self._look()
            if self._problem:
                raise RecordUnusable(f"what is there cannot be read ({self._problem}), so everything is halted")
            kept = {record.scope for record in self._kept}
            latched = {scope: record for scope, record in self._latched.items() if scope not in kept}
            records = (*self._kept, *latched.values())
        if latched or not self._path.exists():
            self._write(records)
        with self._guard:
            self._read()
            self._latched = {scope: one for scope, one in self._latched.items() if scope not in {*kept, *latched}}

    def _lift(self, scope: str, by: str) -> None:
        with self._guard:
            self._look()
            problem, kept, latched = self._problem, self._kept, dict(self._latched)
        if problem:
            self._put_aside(scope, problem)
        elif scope not in {*latched, *(record.scope for record in kept)}:
            halted = ", ".join(sorted({*latched, *(record.scope for record in kept)})) or "nothing"
            raise GatehookError(codes.HALT_NOT_HALTED(scope=scope, halted=halted, by=by))
        self._write([record for record in kept if record.scope != scope])
        with self._guard:
            self._read()
            self._latched.pop(scope, None)

    def _put_aside(self, scope: str, problem: str) -> None:
        if scope != ALL:
            raise GatehookError(codes.HALT_UNREADABLE(path=self._path, problem=problem, scope=scope))
        with suppress(FileNotFoundError):  # it vanished: there is nothing to keep
            self._path.replace(self._path.with_name(f"{self._path.name}.unreadable-{self._wall()}"))

    def _write(self, records: Sequence[HaltRecord]) -> None:
        write_record(self._path, to_json(_File(version=_VERSION, records=tuple(records))))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock that makes reading and writing one step for all processes.

        Raises:
            OSError: it cannot be opened, or somebody holds it for too long.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), flags, 0o600)
        try:
            _take(descriptor)
            yield
        finally:
            os.close(descriptor)

    # --- under the guard

    def _look(self) -> None:
        """Read the file again where its stamp is another one, or too young to tell."""
        try:
            about = self._path.stat()
        except FileNotFoundError:
            self._keep_in_memory()
            return
        except OSError as error:
            self._stamp, self._problem = None, _words(error)
            return
        stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
        if stamp != self._stamp:
            self._read()
            settled = time.time_ns() - about.st_mtime_ns > _SETTLED
            self._stamp = stamp if settled and not self._problem else None

    def _keep_in_memory(self) -> None:
        """The file is gone: what it held is halted in this process until it is resumed."""
        self._stamp = None
        self._latched = {record.scope: record for record in self._kept} | self._latched
        self._kept = ()

    def _read(self) -> None:
        self._stamp = None
        try:
            records = _checked(from_json(_File, read_record(self._path)))
        except FileNotFoundError:
            self._keep_in_memory()
        except RecordUnusable as error:
            self._problem = str(error)
        except Exception as error:  # noqa: BLE001  what cannot be understood halts everything, whatever is wrong with it
            self._problem = f"it holds no halt records ({type(error).__name__})"
        else:
            self._kept, self._problem = records, ""


def _checked(file: _File) -> tuple[HaltRecord, ...]:
    if file.version != _VERSION:
        raise RecordUnusable(f"it has version {file.version}, this Gatehook knows version {_VERSION}")
    for record in file.records:
        check_scope(record.scope)
    return file.records


def _scopes(account: AccountKey, owner: str) -> frozenset[str]:
    """The scopes that stop an order. A subscription owns its orders by its name, with or without the word before it."""
    return frozenset({ALL, f"entry:{account.entry_id}", f"account:{account}", owner, f"subscription:{owner}"})


def _unreadable(path: Path, problem: str, now: Ns) -> HaltRecord:
    return HaltRecord(scope=ALL, reason=f"{path.name} cannot be read: {problem}", by="gatehook", at=now)


def _take(descriptor: int) -> None:
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise OSError(f"another process holds its lock for more than {_LOCK_SECONDS:.0f} s") from None
            time.sleep(_LOCK_PAUSE)
        else:
            return


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

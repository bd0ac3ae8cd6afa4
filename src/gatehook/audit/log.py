"""The audit's log: what is written down so that it cannot be taken back unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from typing import Final
from typing import TypeVar

import anyio
import anyio.to_thread

from gatehook.audit import kinds
from gatehook.audit.anchors import Anchors
from gatehook.audit.chain import Broken
from gatehook.audit.chain import Chain
from gatehook.audit.chain import Torn
from gatehook.audit.files import NotUndone
from gatehook.audit.files import Paths
from gatehook.audit.files import locked
from gatehook.audit.key import make_key
from gatehook.audit.key import read_key
from gatehook.audit.records import Record
from gatehook.audit.records import redacted
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import audit as codes
from gatehook.kinds.errors import StorageUnavailable

T = TypeVar("T")

_SELF: Final = "gatehook"
_CLOSED: Final = "it is closed"


class AuditLog:
    """The log of one data directory, which other processes may append to at the same time.

    ``diagnostics`` are what opening found, and what was found since.
    """

    def __init__(
        self,
        log: Chain,
        anchors: Anchors,
        *,
        key: bytes,
        anchor_every: int,
        wall: Callable[[], int],
        redact: Callable[[str], str],
    ) -> None:
        """Take the opened files; ``AuditLog.open`` is the way to make one."""
        #: The key of the chain, for other records of the data directory that nobody may forge.
        self.key: Final = key
        self._log = log
        self._anchors = anchors
        self._anchor_every = anchor_every
        self._wall = wall
        self._redact = redact
        self._turn = threading.Lock()
        self._limiter = anyio.CapacityLimiter(1)
        self._synced = 0
        self._problem = ""
        self._found: list[Diagnostic] = []

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        key_file: Path | None = None,
        anchors: Path | None = None,
        anchor_every: int = 100,
        wall: Callable[[], int],
        redact: Callable[[str], str],
    ) -> AuditLog:
        """Open the log of a data directory, or begin it. Blocking.

        Args:
            data_dir: where the log is; it exists.
            key_file: where the key is, ``audit.key`` beside the log by default; it is made for a new log.
            anchors: where the anchors are, ``audit.anchors`` beside the log by default.
            anchor_every: how many records at most lie between two anchors, but for what is appended at once.
            wall: the wall time, ns UTC.
            redact: removes secrets from a text.

        Raises:
            GatehookError: when a file cannot be written, the key is missing or another, or the log's end is not as it
                was written. Nothing was changed then.
        """
        paths = Paths.of(data_dir, key_file, anchors)
        try:
            chain = Chain.open(paths.log)
        except OSError as error:
            raise _unavailable(paths.log, error) from error
        try:
            with locked(chain.descriptor):
                return cls._begun(paths, chain, anchor_every=anchor_every, wall=wall, redact=redact)
        except OSError as error:
            chain.close()
            raise _unavailable(paths.log, error) from error
        except BaseException:
            chain.close()
            raise

    @classmethod
    def _begun(
        cls, paths: Paths, chain: Chain, *, anchor_every: int, wall: Callable[[], int], redact: Callable[[str], str]
    ) -> AuditLog:
        if chain.is_empty and not paths.key.exists():
            _insist(paths.key, partial(make_key, paths.key))
        key, exposed = read_key(paths.key)
        anchors = _insist(paths.anchors, lambda: Anchors(paths.anchors, key))
        try:
            torn = _insist(paths.log, lambda: chain.begin(key))
            _insist(paths.anchors, anchors.begin)
            _insist(paths.log, lambda: anchors.agree_with(chain.head))
            log = cls(chain, anchors, key=key, anchor_every=anchor_every, wall=wall, redact=redact)
            log._found += exposed
            log._open(torn)
        except BaseException:
            anchors.close()
            raise
        return log

    def _open(self, torn: Torn | None) -> None:
        records = self._log.head.seq
        if records > 1 and self._anchors.is_empty:  # with one record, its process ended before the first anchor
            self._found.append(codes.ANCHORS_MISSING(path=self._anchors.path, records=records))
        self._recovered(torn)
        if records == 0:
            self._write([Record(kinds.OPENED, _SELF, {})], durable=True)
        self._anchor()

    @property
    def path(self) -> Path:
        """The log's file."""
        return self._log.path

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What opening found, and what was found since."""
        return tuple(self._found)

    def append(self, records: Sequence[Record], *, durable: bool = True) -> None:
        """Append records: all of them, or none. Blocking; any thread may call it.

        Args:
            records: what to write down, in order.
            durable: return when they are on stable storage; otherwise they survive the process, and not a power cut.

        Raises:
            StorageUnavailable: they could not be written; the log is as it was.
        """
        with self._turn, self._guarded():
            self._recovered(self._log.catch_up())
            if self._log.head.seq - self._anchors.seq >= self._anchor_every:
                self._anchor()
            self._write(records, durable=durable)

    async def record(self, kind: str, *, actor: str, durable: bool = True, **subject: Any) -> None:
        """Append one record from the event loop; see ``append``."""
        append = partial(self.append, [Record(kind, actor, subject)], durable=durable)
        await anyio.to_thread.run_sync(append, limiter=self._limiter)

    def close(self) -> None:
        """Anchor the end and close the files. Blocking; what cannot be anchored is a diagnostic."""
        with self._turn:
            if self._problem == _CLOSED:
                return
            try:
                with self._guarded():
                    self._recovered(self._log.catch_up())
                    self._anchor()
            except StorageUnavailable as error:
                self._found.append(
                    codes.UNAVAILABLE(path=self._anchors.path, problem=f"the end has no anchor ({error})")
                )
            self._problem = _CLOSED
            self._log.close()
            self._anchors.close()

    # --- with the lock held

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Hold the file's lock; whatever goes wrong is ``StorageUnavailable``, and names the file and what to do."""
        if self._problem:
            raise _refused(codes.UNAVAILABLE(path=self._log.path, problem=self._problem))
        try:
            with locked(self._log.descriptor):
                yield
        except NotUndone as error:
            self._problem = f"{error.strerror}; what it holds now is found out when it is opened again"
            raise _refused(codes.UNAVAILABLE(path=self._log.path, problem=self._problem)) from error
        except Broken as error:
            raise _refused(codes.DAMAGED(path=self._log.path, problem=error)) from error
        except GatehookError as error:
            raise _refused(*error.diagnostics) from error
        except OSError as error:
            raise _refused(
                codes.UNAVAILABLE(path=Path(error.filename or self._log.path), problem=error.strerror)
            ) from error

    def _write(self, records: Sequence[Record], *, durable: bool) -> None:
        now = self._wall()
        rows = [
            {"ts": now, "kind": one.kind, "actor": one.actor, "subject": one.subject}
            for one in (redacted(record, self._redact) for record in records)
        ]
        self._log.append(rows, durable=durable)
        if durable:
            self._synced = self._log.head.size

    def _recovered(self, torn: Torn | None) -> None:
        if torn is None:
            return
        what = "its line feed was added" if torn.completed else f"{torn.size} bytes of it were removed"
        self._found.append(codes.TORN_TAIL(path=self._log.path, what=what))
        if self._log.head.seq:
            cut = 0 if torn.completed else torn.size
            self._write([Record(kinds.RECOVERED, _SELF, {"cut": cut, "completed": torn.completed})], durable=True)

    def _anchor(self) -> None:
        """Write the end of the log to the second file, once it is on stable storage itself."""
        if self._synced < self._log.head.size:
            self._log.sync()
            self._synced = self._log.head.size
        try:
            self._anchors.add(self._log.head, self._wall())
        except OSError as error:
            raise _unavailable(self._anchors.path, error) from error
        except Broken as error:
            raise GatehookError(codes.DAMAGED(path=self._anchors.path, problem=error)) from error


def _insist(path: Path, step: Callable[[], T]) -> T:
    try:
        return step()
    except Broken as error:
        raise GatehookError(codes.DAMAGED(path=path, problem=error)) from error
    except OSError as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: OSError) -> GatehookError:
    return GatehookError(codes.UNAVAILABLE(path=path, problem=error.strerror or error))


def _refused(*diagnostics: Diagnostic) -> StorageUnavailable:
    return StorageUnavailable("; ".join(f"{one.message}. {one.remedy}" for one in diagnostics))

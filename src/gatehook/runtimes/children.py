"""A child process that speaks on stdin and stdout: in a session of its own, ended as a whole tree.

When the gateway is killed: where ``setpriv`` is installed (Linux), the kernel kills the child with it (``PDEATHSIG``;
what the child started is not covered). Everywhere else stdin ends, which most servers obey. What is alive after all is
ended by the next start (``ChildRecords.sweep``).
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from typing import Self

import anyio
import anyio.to_thread
import attrs

from gatehook.runtimes.child_records import ChildRecord
from gatehook.runtimes.child_records import ChildRecords
from gatehook.runtimes.process_trees import MARK_VARIABLE
from gatehook.runtimes.process_trees import ProcessInfo
from gatehook.runtimes.process_trees import is_alive
from gatehook.runtimes.process_trees import look_at
from gatehook.runtimes.process_trees import members
from gatehook.runtimes.process_trees import send_signal
from gatehook.runtimes.process_trees import signal_group
from gatehook.runtimes.stderr_lines import StderrLines

#: What a child gets of the gateway's environment; the rest is named by the configuration.
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
#: How much is read at once, and how much a pipe is asked to hold.
CHUNK: Final = 262_144
_SET_PIPE_SIZE: Final = 1031  # fcntl's F_SETPIPE_SZ of Linux
_LOOK_EVERY: Final = 0.02
_AFTER_KILL: Final = 2.0


class ChildNotStarted(Exception):
    """The program was not found or cannot be run: it will not get better by trying again."""


@attrs.frozen(kw_only=True)
class ChildSpec:
    """What is started: a program and its arguments (never a shell), its whole environment, where it runs."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    cwd: Path


def child_environment(named: Mapping[str, str], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a child: the few variables every program needs, and what the configuration names."""
    own = os.environ if own is None else own
    return {**{name: own[name] for name in INHERITED if name in own}, **named}


class Child:
    """A running child. The task that started it stops it; ``watch_stderr`` runs in a task of the owner's group."""

    def __init__(self, process: subprocess.Popen[bytes], record: ChildRecord, lines: StderrLines) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._record = record
        self._records: ChildRecords | None = None
        self._lines = lines
        self._stdin: int = process.stdin.fileno()
        self._stdout: int = process.stdout.fileno()
        self._stderr: int = process.stderr.fileno()
        self._sending = anyio.Lock()
        self._closed = False

    @classmethod
    def start(
        cls,
        spec: ChildSpec,
        *,
        name: str,
        logger: logging.Logger,
        redact: Callable[[str], str],
        records: ChildRecords | None = None,
    ) -> Self:
        """Start a child; a few milliseconds on the calling thread.

        Not on a worker thread: the kernel's promise to end the child is bound to the life of the thread that made it.

        Raises:
            ChildNotStarted: naming the program and the reason.
        """
        mark = secrets.token_hex(8)
        program = _program(spec)
        environment = {**spec.environment, MARK_VARIABLE: mark}
        try:
            process = subprocess.Popen(  # noqa: S603  an argument list, no shell; consented to in the manifest
                [*_dies_with_us(), program, *spec.command[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=spec.cwd,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ChildNotStarted(f"{spec.command[0]!r} cannot be started: {error.strerror}") from None
        now = look_at(process.pid)
        digest = hashlib.sha256("\0".join(spec.command).encode()).hexdigest()
        record = ChildRecord(process.pid, now.start if now else 0, mark, name, digest)
        child = cls(process, record, StderrLines(logger, redact))
        child._prepare(records)
        return child

    def _prepare(self, records: ChildRecords | None) -> None:
        for descriptor in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(descriptor, False)
        _widen(self._stdout)
        self._records = records
        if records is not None:
            records.add(self._record)

    @property
    def pid(self) -> int:
        """The process id; also that of its session and group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal); ``None`` while it runs."""
        return self._process.poll()

    @property
    def stderr_tail(self) -> tuple[str, ...]:
        """The last lines of stderr, redacted and bounded."""
        return self._lines.tail

    def write_some(self, data: bytes | memoryview) -> int:
        """Write what the pipe takes now and return how much that was.

        Raises:
            anyio.BrokenResourceError: the child no longer reads, or stdin is closed.
        """
        if self._closed:
            raise anyio.BrokenResourceError
        try:
            return os.write(self._stdin, data)
        except BlockingIOError:
            return 0
        except OSError:
            raise anyio.BrokenResourceError from None

    async def wait_writable(self) -> None:
        """Wait until the pipe takes more."""
        await anyio.wait_writable(self._stdin)

    async def send(self, data: bytes) -> None:
        """Write all of it; messages of several tasks do not mix.

        A cancellation in between leaves half a message: the connection is to be ended then.

        Raises:
            anyio.BrokenResourceError: the child no longer reads.
        """
        async with self._sending:
            rest = memoryview(data)
            while rest:
                written = self.write_some(rest)
                rest = rest[written:]
                if rest:
                    await self.wait_writable()

    async def receive(self, max_bytes: int = CHUNK) -> bytes:
        """Return what came on stdout; ``b""`` when there will be no more."""
        return await _read(self._stdout, max_bytes)

    async def watch_stderr(self) -> None:
        """Log the lines of stderr until it ends."""
        while data := await _read(self._stderr, CHUNK):
            self._lines.feed(data)
        self._lines.close()

    async def wait(self) -> int:
        """Wait until the child itself has ended, and return how."""
        try:
            handle = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # not on Linux, or it is gone
            return await self._poll()
        try:
            await anyio.wait_readable(handle)
        finally:
            anyio.notify_closing(handle)
            os.close(handle)
        return await self._poll()

    async def _poll(self) -> int:
        while (code := self._process.poll()) is None:  # noqa: ASYNC110  the system has no event for it
            await anyio.sleep(_LOOK_EVERY)
        return code

    async def stop(self, *, grace: float = 2.0, frozen: bool = False) -> int | None:
        """End the child and everything it started: stdin ends, then SIGTERM, then SIGKILL; ``grace`` seconds for each.

        ``frozen`` skips the polite part. Returns how the child ended. Bounded, and not interrupted by a cancellation.
        """
        with anyio.CancelScope(shield=True):
            self._close_stdin()
            if not frozen:
                with anyio.move_on_after(grace):
                    await self.wait()
                await self._signal(signal.SIGTERM, grace)
            left = await self._signal(signal.SIGKILL, _AFTER_KILL)
            with anyio.move_on_after(_AFTER_KILL):
                await self.wait()
            self._let_go(nothing_left=not left)
        return self.exit_code

    async def _signal(self, number: signal.Signals, seconds: float) -> tuple[ProcessInfo, ...]:
        """Send a signal to the tree until nothing is left of it or the time is over; return what is left."""
        left = await self._members()
        with anyio.move_on_after(seconds):
            while left:
                for one in left:
                    send_signal(one, number)
                while any(is_alive(one) for one in left):
                    await anyio.sleep(_LOOK_EVERY)
                    self._process.poll()
                left = await self._members()  # what they started while they were dying
        return left

    async def _members(self) -> tuple[ProcessInfo, ...]:
        if not self._record.start:  # no /proc here
            signal_group(self.pid, signal.SIGKILL)
            return ()
        return await anyio.to_thread.run_sync(members, self.pid, self._record.mark)

    def _close_stdin(self) -> None:
        if not self._closed:
            self._closed = True
            assert self._process.stdin is not None
            anyio.notify_closing(self._stdin)
            self._process.stdin.close()

    def _let_go(self, *, nothing_left: bool) -> None:
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                anyio.notify_closing(pipe.fileno())
                pipe.close()
        self._lines.close()
        if self._records is not None and nothing_left:
            self._records.remove(self._record)


def _program(spec: ChildSpec) -> str:
    """Find the program before a wrapper is put before it, so that its absence is our error and not the wrapper's."""
    name = spec.command[0]
    if "/" in name:
        path = spec.cwd / name  # not resolved: an interpreter knows its environment by the link it was called through
        found = str(path) if os.access(path, os.X_OK) and path.is_file() else None
    else:
        found = shutil.which(name, path=spec.environment.get("PATH", os.defpath))
    if found is None:
        raise ChildNotStarted(f"the program {name!r} was not found, or is not executable")
    if not spec.cwd.is_dir():
        raise ChildNotStarted(f"the directory {spec.cwd} that {name!r} should run in does not exist")
    return found


def _dies_with_us() -> list[str]:
    wrapper = shutil.which("setpriv")
    return [wrapper, "--pdeathsig", "KILL", "--"] if wrapper else []


def _widen(descriptor: int) -> None:
    try:
        import fcntl

        fcntl.fcntl(descriptor, _SET_PIPE_SIZE, CHUNK)
    except (ImportError, OSError):
        return  # only slower for large results


async def _read(descriptor: int, max_bytes: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, max_bytes)
        except BlockingIOError:
            await anyio.wait_readable(descriptor)
        except OSError:
            return b""

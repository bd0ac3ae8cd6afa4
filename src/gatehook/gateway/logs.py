"""The log: the standard library's records, rendered by structlog on a thread of their own, always redacted.

Whoever logs puts a record into a bounded queue and goes on. A slow or broken disk loses lines, counts them and says
so; it never holds up the loop.
"""

from __future__ import annotations

import copy
import logging
import os
import queue
import sys
import threading
from collections.abc import Mapping
from collections.abc import MutableMapping
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Final
from typing import Self

import structlog

from gatehook.diagnostics import Diagnostic
from gatehook.secrets import Redactor

LOG_FILE: Final = "gatehook.log"
#: How long stopping waits for the lines that are still in the queue, in seconds.
_FLUSH_TIMEOUT: Final = 2.0


class LogPipe:
    """Takes the process's log records while it is entered; ``lost`` counts the lines that no sink took."""

    def __init__(
        self,
        directory: Path,
        redactor: Redactor,
        *,
        level: str = "info",
        max_bytes: int = 10_000_000,
        files: int = 5,
        terminal: bool = True,
        capacity: int = 10_000,
    ) -> None:
        """Make a log in ``directory``: rotated at ``max_bytes``, ``files`` old ones kept; ``terminal`` adds stderr."""
        self.path = directory / LOG_FILE
        self._level = getattr(logging, level.upper())
        self._size = (max_bytes, files)
        self._redactor = redactor
        self._terminal = terminal
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(capacity)
        self._entry = _Entry(self._queue, self._lose)
        self._thread = threading.Thread(target=self._drain, name="gatehook-log", daemon=True)
        self._sinks: list[logging.Handler] = []
        self._before: tuple[int, int] | None = None
        self.lost = 0
        self.last_loss = ""

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:  # whoever needs the directory for more than the log says what is wrong with it
            self._lose(error.strerror or type(error).__name__)
        self._sinks = [_FileSink(self.path, *self._size, lose=self._lose)]
        self._sinks[0].setFormatter(_formatter(self._redactor, structlog.processors.JSONRenderer(default=str)))
        if self._terminal:
            self._sinks.append(_TerminalSink(lose=self._lose))
            self._sinks[1].setFormatter(_formatter(self._redactor, _console()))
        root, ours = logging.getLogger(), logging.getLogger("gatehook")
        self._before = root.level, ours.level
        root.addHandler(self._entry)
        root.setLevel(max(self._level, logging.WARNING))
        ours.setLevel(self._level)
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self._entry)
        if self._before is not None:
            logging.getLogger().setLevel(self._before[0])
            logging.getLogger("gatehook").setLevel(self._before[1])
        try:
            self._queue.put(None, timeout=_FLUSH_TIMEOUT)
        except queue.Full:  # the sink is stuck: its thread is a daemon and is left behind
            return
        self._thread.join(_FLUSH_TIMEOUT)
        if not self._thread.is_alive():
            for sink in self._sinks:
                sink.close()

    def replace_sinks(self, *sinks: logging.Handler) -> None:
        """Send the lines from now on elsewhere, the thread being the same."""
        self._sinks = list(sinks)

    def _drain(self) -> None:
        while (record := self._queue.get()) is not None:
            for sink in self._sinks:
                sink.handle(record)

    def _lose(self, why: str) -> None:
        self.lost += 1
        self.last_loss = why


class _Entry(logging.Handler):
    """The handler that loggers see: it fixes a record's text and queues it."""

    def __init__(self, records: queue.Queue[logging.LogRecord | None], lose: Any) -> None:
        super().__init__()
        self._records = records
        self._lose = lose

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record = copy.copy(record)  # other handlers have the same one
            record.msg, record.args = record.getMessage(), None
            if record.exc_info and not record.exc_text:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
            self._records.put_nowait(record)
        except queue.Full:
            self._lose("the queue is full")
        except Exception as error:  # noqa: BLE001  a record whose arguments do not fit its text must not stop who logs it
            self._lose(f"a record cannot be written: {type(error).__name__}")


class _FileSink(RotatingFileHandler):
    """The file, readable by its owner only."""

    def __init__(self, path: Path, max_bytes: int, files: int, *, lose: Any) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=files, encoding="utf-8", delay=True)
        self._lose = lose

    def _open(self) -> Any:
        stream = super()._open()
        Path(self.baseFilename).chmod(0o600)
        return stream

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the standard library's name
        self._lose(_reason())


class _TerminalSink(logging.Handler):
    """Whatever ``sys.stderr`` is when a line is written: a live display may have taken its place."""

    def __init__(self, *, lose: Any) -> None:
        super().__init__()
        self._lose = lose

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # the terminal has gone
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the standard library's name
        self._lose(_reason())


def _reason() -> str:
    error = sys.exc_info()[1]
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _formatter(redactor: Redactor, render: Any) -> logging.Formatter:
    def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: _redacted(redactor, value) for key, value in event.items()}

    def redact_text(_: Any, __: str, text: Any) -> str:
        return redactor.redact(text)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            _add_exception,
            _add_time,
            _place_diagnostic,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            render,
            redact_text,
        ],
    )


def _console() -> Any:
    colors = sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0)


def _add_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record = event["_record"]
    if record.exc_text:
        event["exception"] = record.exc_text
    return event


def _add_time(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    from gatehook.kinds.times import to_rfc3339

    event["timestamp"] = to_rfc3339(int(event["_record"].created * 1000) * 1_000_000)
    return event


def _place_diagnostic(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep of a diagnostic what the text does not say already."""
    diagnostic = event.pop("gatehook_diagnostic", None)
    if isinstance(diagnostic, Diagnostic):
        facts = {"code": diagnostic.code, "plugin": diagnostic.plugin, "entry": diagnostic.entry}
        event.update({name: value for name, value in facts.items() if value is not None})
    return event


def _redacted(redactor: Redactor, value: Any) -> Any:
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted(redactor, one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_redacted(redactor, one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float)) else redactor.redact(str(value))

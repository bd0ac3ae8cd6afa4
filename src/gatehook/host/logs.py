"""The loggers that plugins get: the standard library's, with every secret taken out of what they say."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from gatehook.secrets import Redactor


class RedactionFilter(logging.Filter):
    """Rewrites a record's text, its traceback included, before any handler sees it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact, and let pass."""
        record.msg, record.args = self._redactor.redact(_text(record)), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._redactor.redact(self._formatter.formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = self._redactor.redact(record.stack_info)
        return True


class PluginLoggers:
    """``gatehook.plugin.<entry>``, redacted while the host runs."""

    def __init__(self, redactor: Redactor) -> None:
        self._filter = RedactionFilter(redactor)
        self._loggers: list[logging.Logger] = []

    def of(self, name: str) -> logging.Logger:
        """Return the logger of an entry or a plugin."""
        logger = logging.getLogger(f"gatehook.{name}")
        if logger not in self._loggers:
            logger.addFilter(self._filter)
            self._loggers.append(logger)
        return logger

    def __enter__(self) -> Self:
        self.of("host")
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for logger in self._loggers:
            logger.removeFilter(self._filter)
        self._loggers.clear()


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  a plugin's broken format string must not end its caller
        return f"{record.msg!r} (its arguments do not fit)"

"""The host's list of diagnostics: each once, redacted, told to the log, the bus and the observers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import Severity
from gatehook.secrets import Redactor

#: How many are kept; beyond it the oldest go.
KEPT: Final = 1000

_LEVELS: Final = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


class Reports:
    """What was reported, in order, each diagnostic once however often it is said."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._counts: dict[Diagnostic, int] = {}
        self._listeners: list[Callable[[Diagnostic], object]] = []
        self._quiet = False
        self._logger = logging.getLogger("gatehook.host")

    def listen(self, listener: Callable[[Diagnostic], object]) -> None:
        """Tell ``listener`` of each new diagnostic; it raises nothing."""
        self._listeners.append(listener)

    def report(self, diagnostic: Diagnostic, cause: BaseException | None = None) -> bool:
        """Add a diagnostic; ``False`` when it was there already. ``cause`` goes to the log at level debug."""
        redact = self._redactor.redact
        diagnostic = attrs.evolve(diagnostic, message=redact(diagnostic.message), remedy=redact(diagnostic.remedy))
        count = self._counts.get(diagnostic, 0)
        self._counts[diagnostic] = count + 1
        if count:
            return False
        if len(self._counts) > KEPT:
            del self._counts[next(iter(self._counts))]
        self._log(diagnostic, cause)
        if not self._quiet:
            for listener in self._listeners:
                listener(diagnostic)
        return True

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Tell the log only: what is reported in here is about a listener."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def withdraw(self, diagnostic: Diagnostic) -> None:
        """Forget a standing diagnostic: what it says is over."""
        self._counts.pop(diagnostic, None)

    def count(self, diagnostic: Diagnostic) -> int:
        """Return how often a diagnostic was reported."""
        return self._counts.get(diagnostic, 0)

    @property
    def all(self) -> Sequence[Diagnostic]:
        """Every diagnostic, the oldest first."""
        return tuple(self._counts)

    def _log(self, diagnostic: Diagnostic, cause: BaseException | None) -> None:
        text = "%s: %s %s"
        extra = {"gatehook_diagnostic": diagnostic}
        self._logger.log(
            _LEVELS[diagnostic.severity], text, diagnostic.code, diagnostic.message, diagnostic.remedy, extra=extra
        )
        if cause is not None:
            self._logger.debug("%s", diagnostic.code, exc_info=cause)

"""What does not work is said when it begins, not at every attempt: the reasons differ from one to the next."""

from __future__ import annotations

from collections.abc import Callable

from gatehook.diagnostics import Diagnostic


class Outage:
    """One thing that works or does not."""

    def __init__(self, report: Callable[[Diagnostic], object]) -> None:
        self._report = report
        self._lasts = False

    def goes_on(self, diagnostic: Diagnostic) -> None:
        """Report it, unless that was done since it last worked."""
        if not self._lasts:
            self._lasts = True
            self._report(diagnostic)

    def over(self) -> None:
        """It works."""
        self._lasts = False

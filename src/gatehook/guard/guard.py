"""Everything that stands between a command and its intent, made from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import attrs

from gatehook.config.trading import LimitsConfig
from gatehook.config.trading import PermissionRule
from gatehook.config.trading import TradingSection
from gatehook.context import Clock
from gatehook.diagnostics import Diagnostic
from gatehook.guard import days
from gatehook.guard import halt
from gatehook.guard.approvals import Approvals
from gatehook.guard.days import Days
from gatehook.guard.exposure import Exposure
from gatehook.guard.grants import Grants
from gatehook.guard.halt import Halt
from gatehook.guard.limits import Limits
from gatehook.guard.permissions import Permissions
from gatehook.guard.valuation import InstrumentSource
from gatehook.guard.valuation import QuoteSource
from gatehook.guard.valuation import Valuer


@attrs.frozen(kw_only=True)
class Rules:
    """What the configuration says of trading."""

    trading: TradingSection = attrs.field(factory=TradingSection)
    limits: Mapping[str, LimitsConfig] = attrs.field(factory=dict)
    permissions: Sequence[PermissionRule] = ()


@attrs.frozen(kw_only=True)
class Guard:
    """The parts of the guard."""

    halt: Halt
    exposure: Exposure
    limits: Limits
    permissions: Permissions
    grants: Grants
    approvals: Approvals
    valuer: Valuer
    days: Days

    @classmethod
    def open(
        cls,
        data_dir: Path,
        rules: Rules,
        *,
        key: bytes,
        clock: Clock,
        quote: QuoteSource,
        instrument: InstrumentSource,
        report: Callable[[Diagnostic], None],
    ) -> Guard:
        """Make the guard of a data directory from what is kept there. Blocking.

        Args:
            data_dir: where halt, grants and day starts are kept.
            rules: what the configuration says.
            key: of the audit; it authenticates the grants.
            clock: time.
            quote: asks for a quote.
            instrument: asks for an instrument.
            report: gets what is found or goes wrong.
        """
        trading = rules.trading
        exposure = Exposure()
        valuer = Valuer(trading, quote, instrument, clock.now)
        starts = Days(
            data_dir / days.FILE_NAME, day_start=trading.day_start, value=valuer.value, now=clock.now, report=report
        )
        grants = Grants.open(data_dir, key=key, wall=clock.wall, monotonic=clock.monotonic, day_start=trading.day_start)
        for diagnostic in grants.diagnostics:
            report(diagnostic)
        return cls(
            halt=Halt(data_dir / halt.FILE_NAME, wall=clock.wall),
            exposure=exposure,
            limits=Limits(rules.limits, exposure, starts, clock.monotonic),
            permissions=Permissions(rules.permissions, grants),
            grants=grants,
            approvals=Approvals(
                timeout=trading.approval_timeout,
                per_minute=trading.approvals_per_minute,
                monotonic=clock.monotonic,
                wall=clock.wall,
                report=report,
            ),
            valuer=valuer,
            days=starts,
        )

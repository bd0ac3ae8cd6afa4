"""What ``plugins doctor`` and ``config check`` look at: configuration, plan, and what is on disk around them."""

from __future__ import annotations

from gatehook.cli.options import Where
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import Severity

_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def all_findings(where: Where) -> list[Diagnostic]:
    """Return every diagnostic of the control plane, worst first; a configuration that cannot be read is one of them."""
    from gatehook.catalog import make_plan

    try:
        plan = make_plan(where.load())
    except GatehookError as error:
        return list(error.diagnostics)
    return sorted(dict.fromkeys(plan.diagnostics), key=lambda one: _WORST_FIRST.index(one.severity))

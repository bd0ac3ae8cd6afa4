"""What ``plugins doctor`` and ``config check`` look at: the configuration and the plan made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from gatehook.cli.failures import problem_of
from gatehook.cli.options import Where
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import Severity

if TYPE_CHECKING:
    from gatehook.config import Config

WORST_FIRST: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def all_findings(where: Where) -> list[Diagnostic]:
    """Return every diagnostic of the control plane, worst first; a configuration that cannot be read is one of them."""
    from gatehook.catalog.plan import make_plan

    try:
        plan = make_plan(where.load(), thorough=True)
    except GatehookError as error:
        return list(error.diagnostics)
    return sorted(dict.fromkeys(plan.diagnostics), key=lambda one: WORST_FIRST.index(one.severity))


def all_problems(where: Where) -> list[Mapping[str, Any]]:
    """Return the findings as JSON, with what the running gateway reports beyond them, worst first."""
    problems = [problem_of(one) for one in all_findings(where)]
    known = {(one["code"], one["message"]) for one in problems}
    problems += [one for one in _running_problems(where) if (one["code"], one["message"]) not in known]
    return sorted(problems, key=lambda one: WORST_FIRST.index(one["severity"]))


def _running_problems(where: Where) -> list[Mapping[str, Any]]:
    try:
        client = where.client()
    except GatehookError:  # the configuration cannot be read: it is a finding already
        return []
    return list(client.call("status")["diagnostics"]) if client.is_running() else []


def schemas_of(config: Config) -> Mapping[str, Mapping[str, Any]]:
    """Return the configSchema of every plugin that was found, by its id; of several with one id the first counts."""
    from gatehook.catalog.plan import make_plan

    found = (one.manifest for one in reversed(make_plan(config).candidates))
    return {manifest.id: manifest.config_schema for manifest in found if manifest is not None}

"""Permissions: the first rule that matches says allow, ask or deny; a grant answers what would be asked."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

import attrs

from gatehook.config.trading import PermissionRule
from gatehook.config.trading import Permit
from gatehook.config.trading import RiskClass
from gatehook.guard.facts import CommandFacts
from gatehook.guard.grant import Grant
from gatehook.guard.grants import Grants
from gatehook.kinds.accounts import Mode

#: Trading that no rule speaks of, by whose money it is.
_TRADE: Final[Mapping[Mode, Permit]] = {Mode.PAPER: Permit.ALLOW, Mode.DEMO: Permit.ASK, Mode.LIVE: Permit.ASK}
_HARMLESS: Final = frozenset({RiskClass.READ, RiskClass.NOTIFY})
_PERSON: Final = "cli"


@attrs.frozen
class Verdict:
    """What is to become of an operation.

    Attributes:
        by: what decided: ``rule:N`` (from 1), ``default:paper`` and so on, ``grant:ID``, ``reducing``.
        reason: the same for a person.
        grant: the grant that allows it, to be consumed before anything is sent.
    """

    permit: Permit
    by: str
    reason: str
    grant: Grant | None = None


class Permissions:
    """The rules in their order, and the grants."""

    def __init__(self, rules: Sequence[PermissionRule], grants: Grants) -> None:
        self._rules = tuple(rules)
        self._grants = grants

    def judge(self, facts: CommandFacts) -> Verdict:
        """Judge a trading command. Nobody is asked about one that only reduces risk; a deny stops that too."""
        verdict = self._by_rule(facts.caller, facts.account.entry_id, facts.account.account_id, RiskClass.TRADE)
        if verdict is None:
            verdict = _default(
                _TRADE.get(facts.mode, Permit.ASK), str(facts.mode), f"trading on a {facts.mode} account"
            )
        if verdict.permit is not Permit.ASK:
            return verdict
        if facts.reducing:
            return Verdict(Permit.ALLOW, "reducing", "it only reduces risk")
        grant = self._grants.covering(facts)
        if grant is None:
            return verdict
        return Verdict(Permit.ALLOW, f"grant:{grant.grant_id}", f"{grant.given_by} granted it in advance", grant)

    def judge_operation(self, caller: str, entry_id: str, account_id: str, risk: RiskClass) -> Verdict:
        """Judge an operation that is no trading command; ``account_id`` is empty where it has no account."""
        verdict = self._by_rule(caller, entry_id, account_id, risk)
        if verdict is not None:
            return verdict
        if risk is RiskClass.TRADE:
            return _default(Permit.ASK, risk, "trading")
        allowed = risk in _HARMLESS or caller == _PERSON or caller.startswith(f"{_PERSON}:")
        return _default(Permit.ALLOW if allowed else Permit.DENY, risk, f"{risk} for {caller}")

    def _by_rule(self, caller: str, entry_id: str, account_id: str, risk: RiskClass) -> Verdict | None:
        for number, rule in enumerate(self._rules, start=1):
            asked = ((rule.caller, caller), (rule.entry, entry_id), (rule.account, account_id))
            if rule.risk is risk and all(fnmatchcase(text, pattern) for pattern, text in asked):
                return Verdict(
                    rule.decision, f"rule:{number}", f"rule {number} of [[permissions]] says {rule.decision}"
                )
        return None


def _default(permit: Permit, name: str, what: str) -> Verdict:
    return Verdict(permit, f"default:{name}", f"no rule speaks of {what}: the default is {permit}")

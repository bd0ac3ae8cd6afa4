"""Rules: the first that matches decides, defaults speak where none does, and nothing overrules a deny."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatehook.config import PermissionRule
from gatehook.config import Permit
from gatehook.config import RiskClass
from gatehook.config import parse_config
from gatehook.guard.grants import Grants
from gatehook.guard.permissions import Permissions
from gatehook.kinds.accounts import Mode
from gatehook.kinds.instruments import AccountKey
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import opened
from tests.guard.asked import order

RULES = """
[[permissions]]
caller = "agent:*"
entry = "broker"
account = "main"
decision = "deny"

[[permissions]]
caller = "agent:*"
decision = "ask"

[[permissions]]
caller = "web"
decision = "allow"

[[permissions]]
caller = "web"
class = "funds"
decision = "ask"
"""


@pytest.fixture
def grants(tmp_path: Path) -> Grants:
    return opened(tmp_path, Clocks())


@pytest.fixture
def permissions(grants: Grants) -> Permissions:
    return Permissions(parse_config(RULES.encode()).permissions, grants)


@pytest.mark.parametrize(
    ("caller", "account", "by", "permit"),
    [
        ("agent:one", "main", "rule:1", Permit.DENY),
        ("agent:one", "second", "rule:2", Permit.ASK),
        ("agent:", "second", "rule:2", Permit.ASK),
        ("Agent:one", "main", "default:live", Permit.ASK),
        ("agent", "main", "default:live", Permit.ASK),
        ("web", "main", "rule:3", Permit.ALLOW),
        ("web:x", "main", "default:live", Permit.ASK),
        ("agent:a\nb", "main", "rule:1", Permit.DENY),
    ],
)
def test_the_first_rule_that_matches_decides(
    permissions: Permissions, caller: str, account: str, by: str, permit: Permit
) -> None:
    verdict = permissions.judge(command(order(), caller=caller, account=AccountKey("broker", account)))
    assert (verdict.by, verdict.permit, verdict.grant) == (by, permit, None)
    assert verdict.reason


@pytest.mark.parametrize(
    ("mode", "permit"), [(Mode.PAPER, Permit.ALLOW), (Mode.DEMO, Permit.ASK), (Mode.LIVE, Permit.ASK)]
)
def test_without_a_rule_only_paper_may_trade_unasked(grants: Grants, mode: Mode, permit: Permit) -> None:
    verdict = Permissions((), grants).judge(command(order(), mode=mode))
    assert (verdict.permit, verdict.by) == (permit, f"default:{mode}")


@pytest.mark.parametrize(
    ("caller", "risk", "permit"),
    [
        ("agent:one", RiskClass.READ, Permit.ALLOW),
        ("agent:one", RiskClass.NOTIFY, Permit.ALLOW),
        ("agent:one", RiskClass.FUNDS, Permit.DENY),
        ("agent:one", RiskClass.ADMIN, Permit.DENY),
        ("agent:one", RiskClass.TRADE, Permit.ASK),
        ("cli", RiskClass.ADMIN, Permit.ALLOW),
        ("cli:anna", RiskClass.FUNDS, Permit.ALLOW),
        ("client", RiskClass.FUNDS, Permit.DENY),
        ("", RiskClass.ADMIN, Permit.DENY),
    ],
)
def test_operations_that_no_rule_speaks_of(grants: Grants, caller: str, risk: RiskClass, permit: Permit) -> None:
    verdict = Permissions((), grants).judge_operation(caller, "broker", "", risk)
    assert (verdict.permit, verdict.by) == (permit, f"default:{risk}")


def test_a_rule_speaks_of_its_own_class_only(permissions: Permissions) -> None:
    assert permissions.judge_operation("web", "broker", "main", RiskClass.FUNDS).by == "rule:4"
    assert permissions.judge_operation("web", "broker", "main", RiskClass.ADMIN).permit is Permit.DENY
    assert permissions.judge_operation("agent:one", "broker", "main", RiskClass.READ).permit is Permit.ALLOW


def test_nobody_is_asked_about_what_reduces_and_a_deny_stops_it_all_the_same(permissions: Permissions) -> None:
    reducing = permissions.judge(command(caller="hook", reducing=True))
    assert (reducing.permit, reducing.by) == (Permit.ALLOW, "reducing")
    assert permissions.judge(command(caller="agent:one", reducing=True)).permit is Permit.DENY


def test_a_grant_answers_what_would_be_asked_and_nothing_else(grants: Grants) -> None:
    given = grants.grant(caller="*", lifetime=60, given_by="anna")
    verdict = Permissions((), grants).judge(command(order()))
    assert (verdict.permit, verdict.by, verdict.grant) == (Permit.ALLOW, f"grant:{given.grant_id}", given)
    denying = Permissions([PermissionRule(decision=Permit.DENY)], grants)
    assert denying.judge(command(order())).permit is Permit.DENY
    allowing = Permissions([PermissionRule(decision=Permit.ALLOW)], grants)
    assert allowing.judge(command(order())).grant is None

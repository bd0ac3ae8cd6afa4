"""Every rule of the paper broker holds for the engine."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tests.paper import rules_fills
from tests.paper import rules_life
from tests.paper import rules_money
from tests.paper import rules_positions
from tests.paper.kit import REAL
from tests.paper.kit import Bench

Rule = Callable[[Bench], None]


def rules_of(*modules: ModuleType) -> list[Rule]:
    return [one for module in modules for name, one in vars(module).items() if name.startswith("rule_")]


RULES = rules_of(rules_fills, rules_life, rules_positions, rules_money)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.removeprefix("rule_"))
def test_rule(rule: Rule) -> None:
    rule(REAL)

"""The rules are sharp: every seeded defect of the engine is caught by one."""

from __future__ import annotations

from tests.paper.mutants import MUTANTS
from tests.paper.mutants import catcher
from tests.paper.mutants import compiled


def test_every_seeded_defect_is_caught() -> None:
    code = compiled()
    found = [(mutant, catcher(code, mutant, number)) for number, mutant in enumerate(MUTANTS)]
    missed = [mutant for mutant, rule in found if rule is None]
    print(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} seeded defects caught")
    assert not missed
    assert len(MUTANTS) >= 25

"""The rules are sharp: every seeded defect of the engine is caught by one."""

from __future__ import annotations

from tests.paper.mutants import MUTANTS
from tests.paper.mutants import catcher
from tests.paper.mutants import engine


def test_every_seeded_defect_is_caught() -> None:
    source = engine()
    assert catcher(source, None) is None
    missed = [mutant for mutant in MUTANTS if catcher(source, mutant) is None]
    print(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} seeded defects caught")
    assert not missed
    assert len(MUTANTS) >= 25

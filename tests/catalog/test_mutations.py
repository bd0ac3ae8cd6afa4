"""The tests of admission and activation are sharp: every seeded defect is caught."""

from __future__ import annotations

from tests.catalog.mutants import ABOUT
from tests.catalog.mutants import MUTANTS
from tests.catalog.mutants import catalog
from tests.catalog.mutants import catcher
from tests.catalog.mutants import examples


def test_every_seeded_defect_is_caught() -> None:
    source, situations = catalog(), examples()
    assert [catcher(source, None, situations, name) for name in ABOUT] == [None, None]
    missed = [mutant for mutant in MUTANTS if catcher(source, mutant, situations) is None]
    print(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} seeded defects caught")
    assert not missed
    assert len(MUTANTS) >= 30

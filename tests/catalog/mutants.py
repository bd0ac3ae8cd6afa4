"""Defects, one at a time, in a copy of admission or activation in memory. A row or a property must catch each."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.catalog import test_activation
from tests.catalog import test_admission
from tests.mutation import Mutant
from tests.mutation import Source
from tests.mutation import first_broken

Check = tuple[str, Callable[[], object]]
#: For each module: the tests that are about it, and the names in them that a copy stands in for.
ABOUT = {
    "admission": (test_admission, ("admit", "PRECEDENCE", "ADMITTED_BECAUSE", "AdmissionStatus")),
    "activation": (test_activation, ("activate", "resolve", "ACTIVATION_PRECEDENCE", "ActivationStatus")),
}
EXAMPLES = 150

MUTANTS = [
    # admission: the order of causes
    Mutant(
        "admission",
        '    Rule("plugins are off", AdmissionStatus.DENIED, _off, (codes.OFF,)),\n'
        '    Rule("denied", AdmissionStatus.DENIED, _denied, (codes.DENIED,)),\n',
        '    Rule("denied", AdmissionStatus.DENIED, _denied, (codes.DENIED,)),\n'
        '    Rule("plugins are off", AdmissionStatus.DENIED, _off, (codes.OFF,)),\n',
    ),
    Mutant(
        "admission",
        '    Rule("unsafe files", AdmissionStatus.BLOCKED, _blocked),\n'
        '    Rule("invalid manifest", AdmissionStatus.INVALID, _invalid),\n',
        '    Rule("invalid manifest", AdmissionStatus.INVALID, _invalid),\n',
    ),
    Mutant("admission", '    Rule("invalid manifest", AdmissionStatus.INVALID, _invalid),\n', ""),
    Mutant(
        "admission", '    Rule("not in allow", AdmissionStatus.NOT_ALLOWED, _not_allowed, (codes.NOT_ALLOWED,)),\n', ""
    ),
    Mutant(
        "admission",
        "for rule in PRECEDENCE:",
        "for rule in (*PRECEDENCE[:2], *PRECEDENCE[3:6], PRECEDENCE[2], *PRECEDENCE[6:]):",
    ),
    Mutant("admission", "for rule in PRECEDENCE:", "for rule in (*PRECEDENCE[:6], *PRECEDENCE[:5:-1]):"),
    Mutant("admission", "for rule in PRECEDENCE:", "for rule in PRECEDENCE[:-1]:"),
    Mutant("admission", "for rule in PRECEDENCE:", "for rule in PRECEDENCE[::-1]:"),
    Mutant("admission", "status=rule.status", "status=AdmissionStatus.DENIED"),
    # admission: who holds an id
    Mutant("admission", "claimants[0] if len(claimants) == 1 else None", "claimants[0]"),
    Mutant("admission", "claimants[0] if len(claimants) == 1 else None", "claimants[0] if len(members) == 1 else None"),
    Mutant("admission", "first = min(one", "first = max(one"),
    Mutant("admission", "one.origin.rank == first", "one.origin.rank <= first + 1"),
    Mutant("admission", "by_id.setdefault(one.folded, [])", "by_id.setdefault(one.id, [])"),
    Mutant("admission", "{fold(plugin_id): choice for", "{plugin_id: choice for"),
    Mutant("admission", "(candidate.origin, candidate.directory)", "(candidate.directory,)"),
    Mutant("admission", "(candidate.origin, candidate.directory)", "(candidate.origin, candidate.root)"),
    Mutant("admission", "override is not None and is_chosen(one, override)", "False"),
    Mutant("admission", "    if not claimants:\n", "    if override is None:\n"),
    Mutant(
        "admission",
        "    if group.holder is candidate:\n",
        "    if group.holder == candidate or group.holder is None:\n",
    ),
    Mutant("admission", "or candidate not in group.claimants", "or candidate in group.claimants"),
    Mutant("admission", "if one is not candidate)", ")"),
    Mutant("admission", "() if len(members) == 1 else _rivals", "() if len(members) <= 2 else _rivals"),
    # admission: deny, block list, allow
    Mutant("admission", "frozenset(map(fold, policy.deny))", "frozenset(policy.deny)"),
    Mutant("admission", "frozenset(map(fold, policy.allow))", "frozenset(policy.allow)"),
    Mutant("admission", "if deny and case.candidate.folded in deny", "if deny and case.candidate.id in deny"),
    Mutant("admission", "None if case.policy.enabled else", "None if case.policy.deny else"),
    Mutant("admission", "is not None and not case.candidate.origin.trusted:", "is not None:"),
    Mutant("admission", "if case.policy.blocklist_fault is not None and", "if False and"),
    Mutant("admission", "fold(one.id) == case.candidate.folded and", "one.id == case.candidate.id and"),
    Mutant("admission", "return version is None or first_good", "return version is not None and first_good"),
    Mutant("admission", "first_good is None or in_range", "first_good is not None and in_range"),
    Mutant("admission", 'f"<{first_good}"', 'f"<={first_good}"'),
    Mutant("admission", 'f"<{first_good}"', 'f">{first_good}"'),
    Mutant("admission", "case.candidate.origin is Origin.BUILTIN or", "case.candidate.origin.trusted or"),
    Mutant("admission", "if not allow or case.candidate.origin is Origin.BUILTIN or", "if not allow or"),
    Mutant("admission", "    if not allow or case.", "    if case."),
    # admission: what this Gatehook has
    Mutant("admission", "not in_range(policy.api_version", "in_range(policy.api_version"),
    Mutant("admission", "if policy.missing else None", "if not policy.missing else None"),
    Mutant("admission", "case.candidate.origin is Origin.EMBEDDED or needed", "needed"),
    Mutant("admission", "case.candidate.origin is Origin.EMBEDDED or", "case.candidate.origin.trusted or"),
    Mutant("admission", "needed in policy.runtimes:", "needed not in policy.runtimes:"),
    # admission: what the lock says
    Mutant("admission", "    if policy.locked is None:\n", "    if not policy.locked:\n"),
    Mutant(
        "admission",
        "    if recorded is None:\n        return case.objection(codes.NOT_LOCKED)\n",
        "    if recorded is None:\n        return None\n",
    ),
    Mutant("admission", '"version": (candidate.version, recorded.version)', '"version": (recorded.version,) * 2'),
    Mutant("admission", '"origin": (str(candidate.origin), str(recorded.origin))', '"origin": ("", "")'),
    Mutant("admission", "policy.digests.get(key_of(candidate)), recorded.digest)", "recorded.digest, recorded.digest)"),
    Mutant("admission", "        if now != then:\n", "        if now and now != then:\n"),
    # admission: whose consent there is
    Mutant(
        "admission",
        "    if candidate.origin.trusted:\n        return None\n",
        "    if candidate.origin is Origin.BUILTIN:\n        return None\n",
    ),
    Mutant("admission", "    if candidate.dev and policy.mode is Mode.PAPER:\n", "    if candidate.dev:\n"),
    Mutant("admission", "    if candidate.dev and policy.mode is Mode.PAPER:\n", "    if policy.mode is Mode.PAPER:\n"),
    Mutant("admission", "    if candidate.dev and policy.mode is Mode.PAPER:\n", "    if False:\n"),
    Mutant("admission", "is ConsentState.GRANTED:", "is not ConsentState.MISSING:"),
    Mutant("admission", "is ConsentState.GRANTED:", "in (ConsentState.GRANTED, ConsentState.ASKS_CHANGED):"),
    Mutant("admission", "is ConsentState.REFUSED:", "is ConsentState.TREE_CHANGED:"),
    Mutant("admission", "codes.DEV_PAPER_ONLY if candidate.dev", "codes.DEV_PAPER_ONLY if not candidate.dev"),
    Mutant("admission", "Consent(state=ConsentState.MISSING)", "Consent(state=ConsentState.GRANTED)"),
    Mutant("admission", '"dev" if candidate.dev and policy.mode is Mode.PAPER', '"dev" if candidate.dev'),
    Mutant("admission", 'if cause == "consent" else None', 'if cause == "dev" else None'),
    Mutant("admission", "tree=consent.tree if consent is not None else None", "tree=None"),
    # activation: the order of causes
    Mutant("activation", "    for rule in ACTIVATION_PRECEDENCE:\n", "    for rule in ACTIVATION_PRECEDENCE[1:]:\n"),
    Mutant(
        "activation",
        "    for rule in ACTIVATION_PRECEDENCE:\n",
        "    for rule in (*ACTIVATION_PRECEDENCE[1:], ACTIVATION_PRECEDENCE[0]):\n",
    ),
    Mutant(
        "activation",
        "    for rule in ACTIVATION_PRECEDENCE:\n",
        "    for rule in (ACTIVATION_PRECEDENCE[0], *ACTIVATION_PRECEDENCE[2:0:-1], *ACTIVATION_PRECEDENCE[3:]):\n",
    ),
    Mutant("activation", "    for rule in ACTIVATION_PRECEDENCE:\n", "    for rule in ACTIVATION_PRECEDENCE[:-1]:\n"),
    Mutant("activation", "return None if entry.enabled else", "return None if entry.enabled or entry.problems else"),
    Mutant(
        "activation",
        "    if decision.objection is None:\n        return None\n",
        "    if decision.objection is not None:\n        return None\n",
    ),
    Mutant("activation", "(one.admitted and not known.admitted)", "not known.admitted"),
    Mutant("activation", "known is None or (one.admitted and not known.admitted)", "known is None"),
    Mutant("activation", "found.get(one.candidate.folded)", "None"),
    # activation: what it needs
    Mutant("activation", "    if not decision.admitted:\n", "    if decision.admitted:\n"),
    Mutant("activation", '        return "was not found"\n', "        return None\n"),
    Mutant("activation", "and not in_range(version, versions):", "and in_range(version, versions):"),
    Mutant("activation", "                changed = True\n", ""),
    Mutant("activation", "    if circles:\n        _check_uses(entries, state)\n", ""),
    Mutant("activation", "            if use.entry == start:\n", "            if use.entry == way[-1]:\n"),
    Mutant("activation", "if way[-1] not in state.down else ():", "if True else ():"),
    Mutant("activation", "if use.kind not in state.kinds(target):", "if use.kind in state.kinds(target):"),
    Mutant("activation", "if use.kind not in state.kinds(target):", "if False:"),
    Mutant("activation", "    if use.entry in state.down:\n", "    if False:\n"),
    Mutant("activation", "if (use.entry, use.kind) in state.lost else None", "if False else None"),
    Mutant("activation", "if target is None:\n        return", "if target is None:\n        return None and"),
    # activation: who fills a slot
    Mutant("activation", "for one in choice.entries if one in fit)", "for one in fit if one in choice.entries)"),
    Mutant("activation", "next((one for one in choice.entries if one in fit), None)", "next(iter(fit), None)"),
    Mutant(
        "activation",
        "if choice.kind in state.kinds(one) and one.entry_id not in state.down]",
        "if choice.kind in state.kinds(one)]",
    ),
    Mutant("activation", "if choice.kind in state.kinds(one) and", "if"),
    Mutant("activation", "if entry_id in choice.entries and winner else", "if winner else"),
    Mutant("activation", "        if entry_id == winner:\n            continue\n", ""),
    Mutant("activation", "        state.lost[entry_id, choice.kind] =", "        state.down[entry_id] ="),
    Mutant("activation", "attrs.evolve(one, winner=None) if one.winner in state.down else one", "one"),
    Mutant("activation", "    if outcome is None and kind is not None:\n", "    if kind is not None:\n"),
    Mutant("activation", "for kind in state.kinds(entry) or (None,)]", "for kind in state.kinds(entry)]"),
    Mutant("activation", "cause=objection.code if objection is not None", "cause=status if objection is not None"),
]


def catalog() -> Source:
    """Compile the two modules as they are."""
    return Source(Path(__file__).parents[2] / "src" / "gatehook" / "catalog", "a[cd][tm]*.py")


def examples() -> dict[str, list[Any]]:
    """Draw the situations that every copy is put into: the same ones in every run."""
    return {name: _drawn(tests.situations()) for name, (tests, _) in ABOUT.items()}


def catcher(source: Source, mutant: Mutant | None, situations: dict[str, list[Any]], name: str = "") -> str | None:
    """Return the first check that a defect breaks, ``None`` if all hold."""
    name = mutant.module if mutant is not None else name
    tests, stand_ins = ABOUT[name]
    with source.copy(mutant) as package, pytest.MonkeyPatch.context() as patch:
        copy = import_module(f"{package}.{name}")
        for one in stand_ins:
            patch.setattr(tests, one, getattr(copy, one))
        return first_broken(_checks(tests, situations[name]))


def _drawn(strategy: st.SearchStrategy[Any]) -> list[Any]:
    found: list[Any] = []

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(strategy)
    def draw(one: Any) -> None:
        found.append(one)

    draw()
    return found


def _checks(tests: ModuleType, situations: list[Any]) -> Iterator[Check]:
    """Yield a module's tests as plain calls: each row of a table, and each property for all situations."""
    for name, test in vars(tests).items():
        if not name.startswith("test_"):
            continue
        if hasattr(test, "hypothesis"):
            yield from ((name, partial(test.hypothesis.inner_test, one)) for one in situations)
        else:
            yield from ((name, partial(test, *row)) for row in _rows(test))


def _rows(test: Any) -> list[tuple[Any, ...]]:
    """Return the arguments of a test with at most one table."""
    for mark in getattr(test, "pytestmark", ()):
        return [row if isinstance(row, tuple) else (row,) for row in mark.args[1]]
    return [()]

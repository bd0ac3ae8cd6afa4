"""The precedence tables of admission and activation, and the words of all statuses."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from gatehook.catalog.activation import ACTIVATION_PRECEDENCE
from gatehook.catalog.activation import ActivationStatus
from gatehook.catalog.admission import ADMITTED_BECAUSE
from gatehook.catalog.admission import PRECEDENCE
from gatehook.catalog.admission import AdmissionStatus
from gatehook.catalog.candidates import Origin
from gatehook.context import RunState
from gatehook.diagnostics import Code
from generating.tables import code
from generating.tables import prose
from generating.tables import table

_HEADER = ("order", "what objects", "status", "causes")


def admission() -> str:
    """Return the rules of ``admit``, the first that objects decides."""
    return table(
        _HEADER,
        [
            (str(place), prose(rule.name), code(rule.status), _causes(rule.codes, "what was found when it was read"))
            for place, rule in enumerate(PRECEDENCE, 1)
        ],
    )


def activation() -> str:
    """Return the rules of ``activate`` that look at an entry alone."""
    return table(
        _HEADER,
        [
            (str(place), prose(rule.name), code(rule.status), _causes(rule.codes, "what its configuration lacks"))
            for place, rule in enumerate(ACTIVATION_PRECEDENCE, 1)
        ],
    )


def _causes(codes: Iterable[Code], otherwise: str) -> str:
    return ", ".join(f"[`{one.id}`](diagnostics.md#{anchor(one.id)})" for one in codes) or otherwise


def anchor(code_id: str) -> str:
    """Return the anchor of a code on the page of diagnostics."""
    return code_id.replace(".", "")


def reasons() -> str:
    """Return why an admitted plugin may run."""
    return table(("cause", "why"), [(code(cause), prose(why)) for cause, why in ADMITTED_BECAUSE.items()])


def origins() -> str:
    """Return the origins in the order in which they hold an id."""
    ranked = sorted(Origin, key=lambda one: one.rank)
    return table(
        ("rank", "origin", "runs without consent"),
        [(str(place), code(one), "yes" if one.trusted else "no") for place, one in enumerate(ranked, 1)],
    )


def admission_statuses() -> str:
    """Return the words for a plugin."""
    return _words(AdmissionStatus)


def activation_statuses() -> str:
    """Return the words for an entry's kind."""
    return _words(ActivationStatus)


def run_states() -> str:
    """Return the words for an entry's task."""
    return _words(RunState)


def _words(enum: type[StrEnum]) -> str:
    return ", ".join(map(code, enum))

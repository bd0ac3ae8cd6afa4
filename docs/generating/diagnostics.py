"""The catalogue of diagnostic codes."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from gatehook.diagnostics import Code
from gatehook.diagnostics.catalogue import catalogue
from generating.tables import prose

_FACT: Final = re.compile(r"\{(\w+)\}")


def section() -> str:
    """Return every code, by subject, with severity, meaning and remedy."""
    codes = catalogue().values()
    return "\n\n".join(_subject(subject, list(found)) for subject, found in groupby(codes, _subject_of))


def _subject_of(code: Code) -> str:
    return code.id.partition(".")[0]


def _subject(subject: str, codes: list[Code]) -> str:
    return f"## {subject}\n\n" + "\n\n".join(map(_code, codes))


def _code(code: Code) -> str:
    return f"### `{code.id}`\n\n**{code.severity}** — {_template(code.message)}\n\nRemedy: {_template(code.remedy)}"


def _template(text: str) -> str:
    """Write the facts of a template in capitals: they are filled in when it is reported."""
    return prose(_FACT.sub(lambda found: found[1].upper(), text))

"""The person behind a command, as the audit names them."""

from __future__ import annotations

import pwd
from typing import Final

#: The caller that commands of the command line are booked under.
CLI: Final = "cli"


def person_of(uid: int) -> str:
    """Return ``cli:NAME`` for a user of this machine, ``cli:NUMBER`` for one without a name."""
    try:
        return f"{CLI}:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"{CLI}:{uid}"

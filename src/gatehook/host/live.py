"""Live trading is confirmed once for each data directory: who said so and when is a file in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import gateway as codes
from gatehook.kinds.accounts import Mode
from gatehook.kinds.times import Ns
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339

CONFIRMATION: Final = "live.json"


@attrs.frozen(kw_only=True)
class Confirmation:
    """That live trading on a data directory is meant.

    Attributes:
        by: the person.
        at: wall time.
        config: the configuration file as it was then; empty where there was none.
        accounts: the ``allowedAccounts`` of each entry that names some, as they were then.
    """

    by: str
    at: Ns
    config: str = ""
    accounts: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)

    def to_json(self) -> Mapping[str, Any]:
        """Return it as plain JSON values."""
        accounts = {entry: list(listed) for entry, listed in self.accounts.items()}
        return {"by": self.by, "at": to_rfc3339(self.at), "config": self.config, "accounts": accounts}


def read_confirmation(data_dir: Path) -> Confirmation | None:
    """Return what was confirmed for a data directory; ``None`` where nothing was.

    Raises:
        GatehookError: when the file is damaged, or others can write it.
    """
    path = data_dir / CONFIRMATION
    try:
        found = read_record(path, private=True)
        accounts = {str(entry): tuple(map(str, listed)) for entry, listed in found["accounts"].items()}
        return Confirmation(by=found["by"], at=from_rfc3339(found["at"]), config=found["config"], accounts=accounts)
    except FileNotFoundError:
        return None
    except RecordUnusable as unusable:
        raise GatehookError(codes.LIVE_UNREADABLE(path=path, why=unusable)) from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise GatehookError(codes.LIVE_UNREADABLE(path=path, why="it is no confirmation")) from None


def confirm_live(data_dir: Path, confirmation: Confirmation) -> None:
    """Write the confirmation; it is there whole or not at all.

    Raises:
        OSError: nothing changed.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_record(data_dir / CONFIRMATION, confirmation.to_json())


def require_confirmation(data_dir: Path, mode: Mode) -> None:
    """Refuse the mode live on a data directory for which nobody has confirmed it.

    Raises:
        GatehookError: with the command that confirms it; or when the file cannot be used.
    """
    if mode is Mode.LIVE and read_confirmation(data_dir) is None:
        raise GatehookError(codes.LIVE_UNCONFIRMED(path=data_dir))

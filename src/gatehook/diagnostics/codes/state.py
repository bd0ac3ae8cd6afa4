"""The plugins' small stores: one SQLite file in the data directory."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

DAMAGED: Final = Code(
    "state.damaged",
    Severity.ERROR,
    "The plugins' state in {path} is damaged: {error}. The file was put aside as {copy}, and the state begins empty.",
    "Restore the file from a backup while the gateway is stopped, or delete the copy.",
)
NEWER: Final = Code(
    "state.newer",
    Severity.ERROR,
    "The file of the plugins' state {path} has version {found}; this Gatehook knows up to {known}.",
    "Upgrade Gatehook. The file was not touched, and plugins have no state until then.",
)
UNUSABLE: Final = Code(
    "state.unusable",
    Severity.ERROR,
    "The file of the plugins' state {path} cannot be used: {error}.",
    "Put a file that you own, or nothing, in its place. Plugins have no state until then.",
)
QUOTA: Final = Code(
    "state.quota",
    Severity.ERROR,
    'The entry "{entry}" may keep {limit}; this would be {found}. The old state stays.',
    "Keep less in context.state; files belong into context.data_dir.",
)
WRITE_FAILED: Final = Code(
    "state.write-failed",
    Severity.ERROR,
    'The state of the entry "{entry}" cannot be written: {error}. The old state stays.',
    "Make room on the disk that holds the data directory.",
)
SECRET: Final = Code(
    "state.secret",
    Severity.ERROR,
    'The entry "{entry}" tried to keep a secret in its state under {key}.',
    "Never store credentials; read them from context.config.",
)

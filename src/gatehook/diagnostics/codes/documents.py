"""What is wrong with folders that are remembered, and what was dropped from the memory."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

FOLDER_UNREACHABLE: Final = Code(
    "documents.folder-unreachable",
    Severity.WARNING,
    "The folder {path} cannot be read: {why}. Nothing of it was removed from the memory.",
    "Mount or make it again, or take it out of [[memory.folders]]; it is looked at again.",
)
FILE_SKIPPED: Final = Code(
    "documents.file-skipped",
    Severity.WARNING,
    "{path} is not indexed: {why}.",
    "Mend the file, or name it under `exclude` of its folder in [[memory.folders]]; all others are indexed.",
)
TOO_MANY_FILES: Final = Code(
    "documents.too-many-files",
    Severity.WARNING,
    "The folder {path} has more than {limit} files; those that come later by name are not indexed.",
    "Set memory.max_files, or narrow `include` of the folder.",
)
NOT_INDEXED: Final = Code(
    "documents.not-indexed",
    Severity.WARNING,
    "Folders are not being indexed: {why}.",
    "It is tried again until the memory works; `gatehook slots list` shows what fills it.",
)
NO_SUCH_FOLDER: Final = Code(
    "documents.no-such-folder",
    Severity.ERROR,
    "{path} is in none of the folders that are remembered.",
    "Add it to gatehook.toml under [[memory.folders]]; `gatehook config get memory.folders` shows those there are.",
)
NO_FOLDER: Final = Code(
    "documents.no-folder",
    Severity.ERROR,
    "No folder is remembered.",
    "Name one in gatehook.toml under [[memory.folders]], with its path.",
)
STATE_LOST: Final = Code(
    "documents.state-lost",
    Severity.WARNING,
    "{path}, which says what was indexed, cannot be used: {why}. It was begun anew.",
    "Nothing needs to be done: every file is looked at once more.",
)
RETENTION_FAILED: Final = Code(
    "documents.retention-failed",
    Severity.WARNING,
    "What is to be dropped from the memory could not be: {why}.",
    "It is tried again; a memory that cannot be scanned has no retention.",
)

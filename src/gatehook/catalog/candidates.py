"""A plugin that was found, whether it is any good or not."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import attrs

from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import fold
from gatehook.diagnostics import Diagnostic


class Origin(StrEnum):
    """Where a plugin came from. An earlier origin wins an id; the order of definition is the order."""

    EMBEDDED = "embedded"
    BUILTIN = "builtin"
    WORKSPACE = "workspace"
    USER = "user"
    CONFIG = "config"
    INSTALLED = "installed"

    @property
    def rank(self) -> int:
        """The place in the order, 0 first."""
        return _RANKS[self]

    @property
    def trusted(self) -> bool:
        """Whether its code runs without consent: the program's own objects, and what ships with Gatehook."""
        return self is Origin.EMBEDDED or self is Origin.BUILTIN


_RANKS = {origin: rank for rank, origin in enumerate(Origin)}


class CandidateState(StrEnum):
    """What reading it gave."""

    OK = "ok"
    BLOCKED = "blocked"
    INVALID = "invalid"


@attrs.frozen(kw_only=True)
class Candidate:
    """A plugin that was found.

    Attributes:
        id: the manifest's, or the directory's name where the manifest does not say.
        directory: its directory, a real path, as text: a ``Path`` of each of a thousand costs more than admitting them.
            ``None`` for an embedded one.
        manifest: there exactly when ``state`` is not ``invalid`` and the file could be read.
        diagnostics: at least one error when ``state`` is not ``ok``.
        embedded: the object that a program passed.
        distribution: the installed distribution that brings it.
        package: its real package name, for an installed one.
        dev: found by ``--dev``.
    """

    id: str
    origin: Origin
    directory: str | None = None
    manifest: Manifest | None = None
    state: CandidateState = CandidateState.OK
    diagnostics: tuple[Diagnostic, ...] = ()
    embedded: object | None = attrs.field(default=None, repr=False, eq=False)
    distribution: str | None = None
    package: str | None = None
    dev: bool = False

    @property
    def root(self) -> Path | None:
        """Its directory; ``None`` for an embedded one."""
        return None if self.directory is None else Path(self.directory)

    @property
    def folded(self) -> str:
        """The id as look-alikes share it."""
        return fold(self.id)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.directory if self.directory is not None else str(self.origin)

    @property
    def version(self) -> str | None:
        """The manifest's version."""
        return None if self.manifest is None else self.manifest.version

"""What files a folder has now, and what of it could not be seen. Blocking: for a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from pathlib import PurePosixPath

import attrs

from gatehook.memory.documents.globs import Globs


@attrs.frozen
class Stamp:
    """What changes when a file does, as the system tells without reading it. Times are ns UTC."""

    modified: int
    changed: int
    size: int
    inode: int
    device: int

    @classmethod
    def of(cls, about: os.stat_result) -> Stamp:
        """Take it from what the system says."""
        return cls(about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino, about.st_dev)


@attrs.frozen(kw_only=True)
class Walk:
    """What was found below a folder.

    Attributes:
        files: by their paths relative to the folder, in order.
        devices: of the folders that were seen.
        unseen: folders that could not be listed, with the reason.
        too_many: there are more files than were to be taken.
    """

    files: Mapping[str, Stamp]
    devices: AbstractSet[int]
    unseen: Mapping[str, str]
    too_many: bool

    def hides(self, path: str) -> bool:
        """Say whether a file that was not found may be there all the same, in a folder that could not be listed."""
        return any(str(above) in self.unseen for above in PurePosixPath(path).parents)


class Interrupted(Exception):
    """The walk was told to stop."""


def walk(root: Path, globs: Globs, *, most: int, stopped: Callable[[], bool] = lambda: False) -> Walk:
    """Look at every file below a folder. Symbolic links below it are not followed: they may lead out of it.

    Raises:
        OSError: when the folder itself cannot be listed.
        Interrupted: when ``stopped`` says so.
    """
    files: dict[str, Stamp] = {}
    devices = {root.stat().st_dev}
    unseen: dict[str, str] = {}
    waiting = [""]
    while waiting:
        if stopped():
            raise Interrupted
        here = waiting.pop()
        try:
            entries = _entries(root, here, globs)
        except OSError as error:
            if not here:
                raise
            unseen[here] = error.strerror or str(error)
            continue
        inner = []
        for path, stamp, is_folder in entries:
            if is_folder:
                devices.add(stamp.device)
                inner.append(path)
            elif len(files) >= most:
                return Walk(files=files, devices=devices, unseen=unseen, too_many=True)
            else:
                files[path] = stamp
        waiting += reversed(inner)
    return Walk(files=files, devices=devices, unseen=unseen, too_many=False)


def _entries(root: Path, here: str, globs: Globs) -> list[tuple[str, Stamp, bool]]:
    """Return what is directly in a folder and may be taken, by name; the last says whether it is a folder."""
    with os.scandir(root / here if here else root) as listing:
        return sorted(_told(listing, here, globs))


def _told(listing: Iterator[os.DirEntry[str]], here: str, globs: Globs) -> Iterator[tuple[str, Stamp, bool]]:
    for entry in listing:
        path = f"{here}/{entry.name}" if here else entry.name
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            wanted = (
                not globs.leaves_out(path) if is_folder else entry.is_file(follow_symlinks=False) and globs.takes(path)
            )
            if wanted:
                yield path, Stamp.of(entry.stat(follow_symlinks=False)), is_folder
        except FileNotFoundError:
            continue  # it went while the folder was being listed

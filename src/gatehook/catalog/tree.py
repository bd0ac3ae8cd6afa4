"""The digest of a plugin's tree, and reading its files back exactly as they were hashed.

The digest covers the sorted relative paths, the execute bit and the SHA-256 of each file. A tree with bytecode,
symbolic links, special files or too much of anything has none.
Only ``__pycache__`` of an installed package is passed over:
installers write it, and nothing of it is ever run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from gatehook.catalog.safe_files import DIRECTORY_FLAGS
from gatehook.catalog.safe_files import FILE_FLAGS
from gatehook.catalog.safe_files import NotRegular
from gatehook.catalog.safe_files import directory_of
from gatehook.catalog.safe_files import file_of
from gatehook.catalog.safe_files import kind_of
from gatehook.catalog.safe_files import open_below
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import plugins as codes

MOST_FILES: Final = 5_000
MOST_BYTES: Final = 200 * 1024 * 1024
DEEPEST_TREE: Final = 16
_BYTECODE: Final = (".pyc", ".pyo", ".pth")
_CACHE: Final = "__pycache__"


class TreeRefused(Exception):
    """A tree that no digest is given to; ``reason`` and ``path`` say why."""

    def __init__(self, reason: str, path: Path) -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{reason}: {path}")


@attrs.frozen
class Tree:
    """A hashed tree: its digest, and the SHA-256 of each file by its path below the root."""

    root: Path
    digest: str
    files: Mapping[str, str]


def tree_digest(root: Path) -> str:
    """Return the digest of a tree, ``sha256:`` and hexadecimal.

    Raises:
        TreeRefused: for a tree that cannot be trusted to stay what it is.
    """
    return hash_tree(root).digest


def hash_tree(root: Path, *, packaged: bool = False) -> Tree:
    """Return the digest of a tree and of its files; ``packaged``: an installer wrote it, who may
    have written bytecode beside the source (passed over) and may share files between trees (hard links).

    Raises:
        TreeRefused: for a tree that cannot be trusted to stay what it is.
    """
    import hashlib

    walk = _Walk(root, packaged)
    try:
        with directory_of(root) as descriptor:
            files = dict(sorted(walk.below(descriptor, "", 0)))
    except NotRegular as other:
        raise TreeRefused(f"a file became {other} while it was read", root) from None
    except OSError as error:
        raise TreeRefused(error.strerror or str(error), Path(error.filename or root)) from None
    total = hashlib.sha256()
    for path, (executable, digest) in files.items():
        total.update(f"{len(path.encode())}:{path}:{'x' if executable else '-'}:{digest}\n".encode())
    return Tree(root, f"sha256:{total.hexdigest()}", {path: digest for path, (_, digest) in files.items()})


class _Walk:
    def __init__(self, root: Path, packaged: bool) -> None:
        self._root = root
        self._packaged = packaged
        self._files = 0
        self._bytes = 0

    def below(self, directory: int, at: str, depth: int) -> Iterator[tuple[str, tuple[bool, str]]]:
        """Yield path, execute bit and digest of every file below an open directory; an empty directory counts too."""
        if depth > DEEPEST_TREE:
            raise TreeRefused(f"more than {DEEPEST_TREE} directories deep", self._root / at)
        names = sorted(os.listdir(directory))
        if not names and at:
            yield f"{at}/", (False, "")
        for name in names:
            path = f"{at}/{name}" if at else name
            about = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                yield from self._directory(directory, name, path, depth)
            else:
                yield path, self._file(directory, name, path, about)

    def _directory(self, parent: int, name: str, path: str, depth: int) -> Iterator[tuple[str, tuple[bool, str]]]:
        if name == _CACHE:
            if self._packaged:
                return
            raise TreeRefused("it holds bytecode, which would run in place of the source", self._root / path)
        descriptor = os.open(name, DIRECTORY_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
        try:
            yield from self.below(descriptor, path, depth + 1)
        finally:
            os.close(descriptor)

    def _file(self, directory: int, name: str, path: str, about: os.stat_result) -> tuple[bool, str]:
        if not stat.S_ISREG(about.st_mode):
            raise TreeRefused(f"it holds {kind_of(about.st_mode)}", self._root / path)
        if name.endswith(_BYTECODE):
            raise TreeRefused("it holds bytecode, which would run in place of the source", self._root / path)
        if about.st_mode & stat.S_IWOTH:
            raise TreeRefused("every user of this machine can write to it", self._root / path)
        if about.st_nlink > 1 and not self._packaged:
            raise TreeRefused("it has a second name (hard link) under which it can be changed", self._root / path)
        self._files += 1
        self._bytes += about.st_size
        if self._files > MOST_FILES or self._bytes > MOST_BYTES:
            raise TreeRefused(f"more than {MOST_FILES} files or {MOST_BYTES} bytes", self._root)
        from hashlib import file_digest

        descriptor = os.open(name, FILE_FLAGS, dir_fd=directory)
        with file_of(descriptor) as file:
            return bool(about.st_mode & 0o111), file_digest(file, "sha256").hexdigest()


def verified_bytes(root: Path, relative: str, tree: Tree | None = None) -> bytes:
    """Read a file below a plugin's root without leaving it; with a tree, only exactly what was hashed.

    Raises:
        FileNotFoundError: there is none, or none was hashed.
        GatehookError: the path escapes, or the file is not what was hashed.
    """
    from hashlib import sha256

    if tree is not None and relative not in tree.files:
        raise FileNotFoundError(relative)
    with directory_of(root) as directory:
        descriptor = open_below(directory, root, relative)
    try:
        with file_of(descriptor) as file:
            data = file.read()
    except NotRegular:
        raise FileNotFoundError(relative) from None
    if tree is not None and sha256(data).hexdigest() != tree.files[relative]:
        raise GatehookError(codes.FILE_CHANGED(plugin=root.name, path=root / relative))
    return data


def verified_sources(tree: Tree) -> Mapping[str, bytes]:
    """Read every Python file of a hashed tree, by its path below the root, exactly as it was hashed.

    Raises:
        GatehookError: a file is not what was hashed, or is gone.
    """
    found: dict[str, bytes] = {}
    for path in tree.files:
        if path.endswith(".py"):
            try:
                found[path] = verified_bytes(tree.root, path, tree)
            except FileNotFoundError:
                raise GatehookError(codes.FILE_CHANGED(plugin=tree.root.name, path=tree.root / path)) from None
    return found

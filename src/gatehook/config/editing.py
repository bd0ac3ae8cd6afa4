"""Changing one key of gatehook.toml: comments and formatting stay, and the file is the old one or the new one."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any
from typing import Final
from typing import Literal

import attrs

from gatehook.config.layers import parse_file
from gatehook.config.layers import parse_key
from gatehook.config.layers import read_file
from gatehook.config.lines import Key
from gatehook.config.loading import parse_config
from gatehook.config.model import entry_at
from gatehook.config.plugin_config import check_structure
from gatehook.config.schema_walk import is_secret_at
from gatehook.config.sources import dotted
from gatehook.config.trees import get
from gatehook.config.trees import plain
from gatehook.config.trees import put
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import Severity
from gatehook.diagnostics.codes import config as codes
from gatehook.diagnostics.codes import secrets as secret_codes
from gatehook.secrets import reference_in

HEADER: Final = """\
# The configuration of Gatehook. `gatehook config schema` describes every key, `gatehook config check` checks this file.
# Secrets are not written here but referred to: { env = "NAME" }, { file = "…" } or { keyring = "…" }.
"""


class Unset(Enum):
    """The type of ``UNSET``."""

    UNSET = "unset"


#: In place of a value: the key is removed.
UNSET: Final = Unset.UNSET


@attrs.frozen(kw_only=True)
class Edit:
    """A change that was checked and not written yet.

    Attributes:
        before: the file's bytes when it was read; ``None`` when there was none.
        after: what it will say.
    """

    path: Path
    before: bytes | None
    after: bytes

    @property
    def changes(self) -> bool:
        """Whether the file will say something else."""
        return self.before != self.after

    def write(self) -> None:
        """Replace the file at once and durably; its mode stays.

        Raises:
            GatehookError: when somebody changed the file since it was read, or it cannot be written.
        """
        path = self.path.resolve()  # a link stays a link
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = stat.S_IMODE(path.stat().st_mode) if self.before is not None and path.exists() else 0o600
            written = _written_beside(path, self.after, mode)
            try:
                self._insist_unchanged(path)
                written.replace(path)
            except BaseException:
                with suppress(OSError):  # what matters is the first failure
                    written.unlink(missing_ok=True)
                raise
            _sync_directory(path.parent)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise GatehookError(codes.NOT_WRITTEN(path=self.path, reason=reason)) from None

    def _insist_unchanged(self, path: Path) -> None:
        if _current(path) != self.before:
            raise GatehookError(codes.FILE_CHANGED(path=self.path))


def edit_config(
    path: Path,
    key: str | Key,
    value: Any | Literal[Unset.UNSET],
    *,
    schemas: Mapping[str, Mapping[str, Any]] | None = None,
) -> Edit:
    """Set a key of a configuration file, or remove it; the file is made when there is none.

    Nothing is written when nothing changes.

    Raises:
        GatehookError: when the result would not be a valid configuration, when a secret would be written in clear text,
            when somebody changed the file meanwhile, and when it cannot be written.
    """
    edit = plan_edit(path, key, value, schemas=schemas)
    if edit.changes:
        edit.write()
    return edit


def plan_edit(
    path: Path,
    key: str | Key,
    value: Any | Literal[Unset.UNSET],
    *,
    schemas: Mapping[str, Mapping[str, Any]] | None = None,
) -> Edit:
    """Do all of ``edit_config`` but the writing.

    Args:
        path: the file.
        key: dotted as TOML writes it, or its parts.
        value: plain JSON without ``null``, or ``UNSET``.
        schemas: each plugin's configSchema by its id, to know secrets and check the plugin's own part.
    """
    steps = parse_key(key) if isinstance(key, str) else key
    if not steps:
        raise GatehookError(codes.BAD_OVERRIDE(what="The key", reason="it is not a dotted key"))
    before = _current(path)
    tree, text = parse_file(before or b"", path)
    wanted = _wanted(tree, steps, value)
    after = before or b""
    if before is None or wanted != tree:
        after = _changed(text if before is not None else HEADER, steps, value, path).encode()
        _insist(after, wanted, path)
    _check(after, path, steps, value, schemas or {})
    return Edit(path=path, before=before, after=after)


def _current(path: Path) -> bytes | None:
    return read_file(path) if os.path.lexists(path) else None


def _wanted(tree: Mapping[str, Any], steps: Key, value: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = plain(tree)
    if value is not UNSET:
        in_the_way = put(wanted, steps, plain(value))
        if in_the_way is not None:
            reason = f"{dotted(in_the_way)} is a value, and has no settings inside"
            raise GatehookError(codes.BAD_OVERRIDE(what=dotted(steps), reason=reason))
        return wanted
    with suppress(KeyError):  # not there is as good as removed
        outer = get(wanted, steps[:-1])
        if isinstance(outer, dict):
            outer.pop(steps[-1], None)
    return wanted


def _changed(text: str, steps: Key, value: Any, path: Path) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(text)
        outer = document
        for part in steps[:-1]:
            if part not in outer:
                if value is UNSET:
                    return text
                outer[part] = tomlkit.table(is_super_table=True) if outer is document else tomlkit.table()
            outer = outer[part]
        if value is UNSET:
            outer.pop(steps[-1], None)
        else:
            outer[steps[-1]] = _inline(plain(value))
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError) as error:
        raise GatehookError(
            codes.NOT_WRITTEN(path=path, reason=f"TOML cannot say this ({type(error).__name__})")
        ) from None


def _inline(value: Any) -> Any:
    import tomlkit

    if isinstance(value, dict):
        table = tomlkit.inline_table()
        for name, one in value.items():
            table[name] = _inline(one)
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for one in value:
            array.append(_inline(one))
        return array
    return value


def _insist(after: bytes, wanted: Mapping[str, Any], path: Path) -> None:
    """Read the new text back: it must say the change and nothing else."""
    try:
        says = tomllib.loads(after.decode())
    except ValueError:
        says = {}
    if _pruned(says) != _pruned(wanted):
        raise GatehookError(codes.NOT_WRITTEN(path=path, reason="the change would touch something else; edit by hand"))


def _pruned(tree: Any) -> Any:
    """Tables that say nothing are no difference."""
    if not isinstance(tree, dict):
        return tree
    inner = {name: _pruned(one) for name, one in tree.items()}
    return {name: one for name, one in inner.items() if one != {}}


def _check(after: bytes, path: Path, steps: Key, value: Any, schemas: Mapping[str, Mapping[str, Any]]) -> None:
    config = parse_config(after, path)
    entry = entry_at(config, steps)
    if entry is None:
        return
    schema = schemas.get(entry.plugin_id, {})
    if value is not UNSET:
        _refuse_clear_text(steps, plain(value), schema)
    errors = [one for one in check_structure(entry, schema) if one.severity is Severity.ERROR]
    if errors:
        raise GatehookError(*errors)


def _refuse_clear_text(steps: Key, value: Any, schema: Mapping[str, Any]) -> None:
    for inner, one in _leaves(value):
        place = (*steps, *inner)
        within = tuple(int(step) if step.isdecimal() else step for step in place[4:])
        is_text = one not in ("", None) and not isinstance(one, bool) and reference_in(one) is None
        if place[3:4] == ("config",) and is_text and is_secret_at(schema, schema, within):
            raise GatehookError(secret_codes.IN_CLEAR(key=dotted(place)))


def _leaves(value: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, dict | list) and reference_in(value) is None:
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from (((str(name), *inner), leaf) for inner, leaf in _leaves(one))
    else:
        yield (), value


def _written_beside(path: Path, data: bytes, mode: int) -> Path:
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):  # what matters is the first failure
            written.unlink(missing_ok=True)
        raise
    return written


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

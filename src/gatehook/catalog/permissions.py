"""The manifest's ``permissions``: a closed vocabulary; a wildcard or an unknown word is refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

from gatehook.catalog.manifest import Permissions
from gatehook.catalog.reader import Reader
from gatehook.catalog.reader import pointer_to
from gatehook.catalog.reader import shown
from gatehook.diagnostics.codes import manifest as codes
from gatehook.diagnostics.records import did_you_mean
from gatehook.kinds.kind import Kind

HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
    r"|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{0,4})?\Z"
)
VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
PERMISSIONS: Final = ("network", "files", "environment", "processes", "trading", "wrap")
#: Kinds whose providers can be wrapped: all but the broker, where the desk is.
WRAPPABLE: Final = tuple(kind for kind in Kind if kind is not Kind.BROKER)
_WRAPPABLE: Final = {str(kind): kind for kind in WRAPPABLE}


def read_permissions(value: Any, reader: Reader) -> Permissions:
    """Read ``permissions``."""
    found: dict[str, Any] = {}
    for key, one in reader.table(value, "permissions", "").items():
        if key in _LISTS:
            found[key] = _names(one, key, reader, *_LISTS[key])
        elif key == "wrap":
            found[key] = tuple([_WRAPPABLE[kind] for kind in _names(one, key, reader, _ONE_OF, _WRAPPABLE.get)])
        elif key == "trading":
            found[key] = _switch(one, key, reader)
        elif key == "files":
            found |= _files(one, reader)
        else:
            _refuse(key, reader)
    return Permissions(**found)


_ONE_OF: Final = f"one of {', '.join(_WRAPPABLE)}"
_PATH: Final = 'an absolute path, or one that starts with "~/", without ".."'


def _refuse(key: str, reader: Reader) -> None:
    pointer = pointer_to("/permissions", key)
    if "*" in key:
        reader.note(codes.WILDCARD_PERMISSION, pointer, value=shown(key))
    else:
        hint = did_you_mean(key, PERMISSIONS)
        reader.note(codes.UNKNOWN_PERMISSION, pointer, key=shown(key), hint=hint, known=", ".join(PERMISSIONS))


def _files(value: Any, reader: Reader) -> dict[str, tuple[str, ...]]:
    found = {}
    for key, one in reader.table(value, "files", "/permissions").items():
        if key in ("read", "write"):
            found[f"{key}_files"] = _names(one, key, reader, _PATH, _is_path, at="/permissions/files")
        else:
            facts = {"key": shown(f"files.{key}"), "hint": did_you_mean(key, ("read", "write"))}
            reader.note(codes.UNKNOWN_PERMISSION, pointer_to("/permissions/files", key), known="read, write", **facts)
    return found


def _names(
    value: Any, key: str, reader: Reader, expected: str, fits: Callable[[str], object], *, at: str = "/permissions"
) -> tuple[str, ...]:
    names = reader.texts(value, key, at)
    good = []
    for index, name in enumerate(names):
        if "*" in name:
            reader.note(codes.WILDCARD_PERMISSION, f"{at}/{key}/{index}", value=shown(name))
        elif name and not fits(name):
            reader.note(codes.BAD_VALUE, f"{at}/{key}/{index}", key=key, expected=expected, hint="")
        elif name:
            good.append(name)
    return tuple(good)


def _switch(value: Any, key: str, reader: Reader) -> bool:
    if type(value) is not bool:
        reader.wrong(value, key, "true or false", f"/permissions/{key}")
        return False
    return value


def _is_path(path: str) -> bool:
    return path.startswith(("/", "~/")) and ".." not in path.split("/")


def _is_program(name: str) -> bool:
    return name.startswith("/") or not any(bad in name for bad in "/\\ ")


#: The permissions that are lists of names: what each name is, in words and as a test.
_LISTS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "network": ("a host name, with an optional :port", HOST.match),
    "environment": ("the name of an environment variable", VARIABLE.match),
    "processes": ("the name or absolute path of a program", _is_program),
}

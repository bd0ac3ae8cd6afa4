"""The layers: what the file, the program, the environment and --set say, put over each other."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from typing import Final

import attrs

from gatehook.config.lines import Key
from gatehook.config.model import BESIDE_SECTIONS
from gatehook.config.model import SECTIONS
from gatehook.config.model import EntryConfig
from gatehook.config.settings import settings_of
from gatehook.config.sources import Layer
from gatehook.config.sources import Source
from gatehook.config.sources import Sources
from gatehook.config.sources import dotted
from gatehook.config.trees import DEEPEST
from gatehook.config.trees import put
from gatehook.config.trees import too_deep
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import config as codes

PREFIX: Final = "GATEHOOK__"
LARGEST: Final = 1 << 20
_LONGEST_KEY: Final = 1000


@attrs.frozen(kw_only=True)
class Merged:
    """The layers put over each other, and what was wrong on the way."""

    tree: dict[str, Any]
    sources: Sources
    layers: tuple[Source, ...]
    problems: tuple[Diagnostic, ...]


@attrs.frozen
class Override:
    """One value of a layer above the file."""

    key: Key
    value: Any
    source: Source


def read_file(path: Path) -> bytes:
    """Read a configuration file.

    Raises:
        GatehookError: when it cannot be read, is no regular file, or is too large.
    """
    try:
        if path.exists() and not path.is_file():
            raise GatehookError(codes.UNREADABLE(path=path, reason="it is not a regular file"))
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise GatehookError(codes.UNREADABLE(path=path, reason=reason)) from None
    if len(data) > LARGEST:
        raise GatehookError(codes.TOO_LARGE(path=path, limit=f"it is larger than {LARGEST} bytes"))
    return data


def parse_file(data: bytes, path: Path | None) -> tuple[dict[str, Any], str]:
    """Parse the bytes of a configuration file into its tables and its text.

    Raises:
        GatehookError: when they are not TOML; the message quotes no value.
    """
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
        tree = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise GatehookError(codes.INVALID_TOML(path=path, line=line, reason="it is not UTF-8")) from None
    except tomllib.TOMLDecodeError as error:
        reason, line_number = _reason(str(error), text)
        raise GatehookError(codes.INVALID_TOML(path=path, line=line_number, reason=reason)) from None
    except RecursionError:
        raise GatehookError(codes.TOO_LARGE(path=path, limit=_DEPTH)) from None
    except ValueError:  # an integer of thousands of digits
        raise GatehookError(codes.INVALID_TOML(path=path, reason="a number is out of range")) from None
    if too_deep(tree):
        raise GatehookError(codes.TOO_LARGE(path=path, limit=_DEPTH))
    return tree, text


_DEPTH: Final = f"it is nested deeper than {DEEPEST} levels"


def _reason(message: str, text: str) -> tuple[str, int]:
    """Take the line out of tomllib's words; they end in ``(at line L, column C)`` or ``(at end of document)``."""
    reason, _, place = message.rpartition(" (at ")
    words = place.split()
    line = int(words[1].rstrip(",")) if words[:1] == ["line"] else text.count("\n") + 1
    return (reason or "a value is malformed").partition(":")[0].rstrip("."), line


def environment_overrides(environ: Mapping[str, str], tree: Mapping[str, Any]) -> Iterable[Override | Diagnostic]:
    """Yield what the environment sets. Ids may be spelled with ``_``; ``tree`` and the settings say what is meant."""
    for name in sorted(one for one in environ if one.startswith(PREFIX)):
        parts = name.removeprefix(PREFIX).split("__")
        if not all(parts) or len(parts) > DEEPEST or not _is_text(name):
            yield codes.BAD_OVERRIDE(what=ascii(name), reason="its name is not GATEHOOK__SECTION__KEY")
        elif not _is_text(environ[name]):
            yield codes.BAD_OVERRIDE(what=name, reason="its value is not UTF-8")
        else:
            source = Source(layer=Layer.ENVIRONMENT, name=name)
            yield from _override(_spelled(parts, tree), environ[name], source, name)


def set_overrides(sets: Sequence[str]) -> Iterable[Override | Diagnostic]:
    """Yield what ``--set KEY=VALUE`` arguments set. Messages name an argument by its number: it may hold a secret."""
    for number, argument in enumerate(sets, start=1):
        written, equals, value = argument.partition("=")
        what = f"--set argument {number}"
        key = parse_key(written)
        if not equals or not key or not _is_text(argument):
            yield codes.BAD_OVERRIDE(what=what, reason="it is not KEY=VALUE with a dotted key")
        else:
            yield from _override(key, value, Source(layer=Layer.SET, name=dotted(key)), what)


def _override(key: Key, text: str, source: Source, what: str) -> Iterable[Override | Diagnostic]:
    value = parse_value(text)
    if too_deep([value]):
        yield codes.BAD_OVERRIDE(what=what, reason=_DEPTH)
    else:
        yield Override(key, value, source)


def parse_key(written: str) -> Key | None:
    """Read a dotted key as TOML writes them; ``None`` when it is none."""
    if "\n" in written or "\r" in written or len(written) > _LONGEST_KEY:
        return None
    try:
        tree: Any = tomllib.loads(f"{written} = 0")
    except ValueError:
        return None
    key: list[str] = []
    while isinstance(tree, dict) and len(tree) == 1:
        part, tree = next(iter(tree.items()))
        key.append(part)
    return tuple(key) if key and tree == 0 and len(key) <= DEEPEST else None


def parse_value(text: str) -> Any:
    """Read a TOML value; what is none is a string."""
    try:
        tree = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return tree["value"] if len(tree) == 1 else text


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _spelled(parts: Sequence[str], tree: Mapping[str, Any]) -> Key:
    key: Key = ()
    here: Any = tree
    for part in parts:
        known = [*_known(key, tree), *(here if isinstance(here, Mapping) else ())]
        same = [one for one in known if one == part] or [one for one in known if fold(one) == fold(part)]
        key = (*key, same[0] if same else part.lower() if part.isupper() else part)
        here = here.get(key[-1]) if isinstance(here, Mapping) else None
    return key


def fold(name: str) -> str:
    """Return what ids and keys have in common that the environment cannot tell apart."""
    return name.lower().replace("-", "_").replace(".", "_")


def _known(key: Key, tree: Mapping[str, Any]) -> list[str]:
    if not key:
        return [*SECTIONS, *BESIDE_SECTIONS]
    if key[0] == "limits":
        return _entries_in(tree) if len(key) == 1 else [one.key for one in settings_of(BESIDE_SECTIONS[key[0]])]
    if len(key) == 1 and key[0] in SECTIONS:
        extra = ["entries"] if key[0] == "plugins" else []
        return [one.key for one in settings_of(SECTIONS[key[0]])] + extra
    if key[:-1] == ("plugins", "entries"):
        return [one.key for one in settings_of(EntryConfig)]
    return []


def _entries_in(tree: Mapping[str, Any]) -> list[str]:
    plugins = tree.get("plugins")
    entries = plugins.get("entries") if isinstance(plugins, Mapping) else None
    return list(entries) if isinstance(entries, Mapping) else []


def merge(
    tree: dict[str, Any],
    base: Source | None,
    *,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
) -> Merged:
    """Put the environment and --set over ``tree``, which the file or the program said."""
    problems: list[Diagnostic] = []
    origins: dict[Key, Source] = {}
    layers = [Source(layer=Layer.DEFAULTS), *([base] if base else [])]
    if base is not None and base.layer is Layer.PROGRAM:
        origins = {(key,): base for key in tree}
    for found in (environment_overrides(os.environ if environ is None else environ, tree), set_overrides(sets)):
        for one in list(found):
            problem = one if isinstance(one, Diagnostic) else _apply(one, tree, origins)
            if problem is not None:
                problems.append(problem)
            elif isinstance(one, Override):
                layers.append(one.source)
    path = base.path if base else None
    return Merged(
        tree=tree,
        sources=Sources(path, text, MappingProxyType(origins)),
        layers=tuple(layers),
        problems=tuple(problems),
    )


def _apply(override: Override, tree: dict[str, Any], origins: dict[Key, Source]) -> Diagnostic | None:
    in_the_way = put(tree, override.key, override.value)
    if in_the_way is not None:
        return codes.BAD_OVERRIDE(
            what=str(override.source), reason=f"{dotted(in_the_way)} is a value, and has no settings inside"
        )
    for key in [one for one in origins if one[: len(override.key)] == override.key]:
        del origins[key]
    origins[override.key] = override.source
    return None

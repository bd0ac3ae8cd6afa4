"""``.mcpb`` bundles: a zip archive with a ``manifest.json``, taken out without leaving the plugin's directory."""

from __future__ import annotations

import io
import json
import re
import stat
import zipfile
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final

from gatehook.catalog.entries import is_plain_path
from gatehook.catalog.foreign.servers import ForeignFile
from gatehook.catalog.foreign.servers import ForeignServer
from gatehook.catalog.foreign.servers import NotTakenOver
from gatehook.catalog.foreign.values import Input
from gatehook.catalog.foreign.values import baked
from gatehook.catalog.foreign.values import setting_of
from gatehook.config.passing import ENVIRONMENT

MOST_FILES: Final = 4_000
LARGEST_BUNDLE: Final = 100 * 1024 * 1024
MOST_BYTES: Final = 200 * 1024 * 1024
#: A file that is packed more tightly is refused: it is made to fill a disk.
TIGHTEST: Final = 200
MANIFEST: Final = "manifest.json"
#: Where a bundle's files go below the plugin's directory.
FOLDER: Final = "bundle"
_DIRECTORY: Final = re.compile(r"\$\{__dirname\}[/\\]?")
_BYTECODE: Final = (".pyc", ".pyo", ".pth")


def read_bundle(path: Path, data: bytes, values: Mapping[str, str]) -> ForeignFile:
    """Read a bundle; ``values`` fill the placeholders of its arguments.

    Raises:
        NotTakenOver: when it is none, or cannot be unpacked safely.
    """
    if len(data) > LARGEST_BUNDLE:
        raise NotTakenOver(f"it is larger than {LARGEST_BUNDLE} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = dict(_files(archive))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, NotTakenOver):
            raise
        raise NotTakenOver(f"it is no zip archive that can be read ({type(error).__name__})") from None
    manifest = _manifest(files)
    name = manifest.get("name")
    if not isinstance(name, str) or not name:
        raise NotTakenOver("its manifest has no name")
    try:
        return ForeignFile(path=path, servers=(_server(name, manifest, files, values),), refused={})
    except NotTakenOver as reason:
        return ForeignFile(path=path, servers=(), refused={name: str(reason)})


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    entries = [one for one in archive.infolist() if not one.is_dir()]
    if len(entries) > MOST_FILES:
        raise NotTakenOver(f"it has more than {MOST_FILES} files")
    if sum(one.file_size for one in entries) > MOST_BYTES:
        raise NotTakenOver(f"it unpacks to more than {MOST_BYTES} bytes")
    seen: set[str] = set()
    for one in entries:
        _check(one, seen)
        if "__pycache__/" in one.filename or one.filename.endswith(_BYTECODE):
            continue
        with archive.open(one) as file:
            content = file.read(one.file_size + 1)
        if len(content) != one.file_size:
            raise NotTakenOver("a file in it is not as long as the archive says")
        yield one.filename, (content, bool((one.external_attr >> 16) & 0o111))


def _check(one: zipfile.ZipInfo, seen: set[str]) -> None:
    mode = one.external_attr >> 16
    if not is_plain_path(one.filename) or not one.filename.isprintable():
        raise NotTakenOver("a file in it has a path that leaves the directory, or is written unusually")
    if one.filename.lower() in seen:
        raise NotTakenOver("two files in it have the same path")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise NotTakenOver("it holds a link or a special file")
    if one.flag_bits & 0x1:
        raise NotTakenOver("it is encrypted")
    if one.file_size > 1024 * 1024 and one.file_size > TIGHTEST * max(one.compress_size, 1):
        raise NotTakenOver("a file in it is packed so tightly that it is made to fill a disk")
    seen.add(one.filename.lower())


def _manifest(files: Mapping[str, tuple[bytes, bool]]) -> Mapping[str, Any]:
    try:
        found = json.loads(files[MANIFEST][0])
    except KeyError:
        raise NotTakenOver(f"it has no {MANIFEST}") from None
    except (ValueError, RecursionError):
        raise NotTakenOver(f"its {MANIFEST} is no JSON") from None
    if not isinstance(found, dict):
        raise NotTakenOver(f"its {MANIFEST} is no object")
    return found


def _server(
    name: str, manifest: Mapping[str, Any], files: Mapping[str, tuple[bytes, bool]], values: Mapping[str, str]
) -> ForeignServer:
    config = _at(manifest, "server", "mcp_config")
    inputs = _inputs(manifest.get("user_config", {}))
    notes: list[str] = []
    command = _command(config, values, inputs)
    settings = []
    environment = config.get("env", {})
    for variable, text in environment.items() if isinstance(environment, dict) else ():
        if not isinstance(text, str):
            raise NotTakenOver(f"its environment variable {variable} is no text")
        setting, note = setting_of(variable, text, ENVIRONMENT, inputs, name)
        settings.append(setting)
        notes += [] if note is None else [note]
    if isinstance(config.get("platform_overrides"), dict):
        notes.append("platform_overrides were left out: compare the command with what this system needs")
    return ForeignServer(
        name=name,
        command=command,
        settings=tuple(settings),
        files={f"{FOLDER}/{path}": content for path, content in files.items()},
        notes=tuple(notes),
        about=_about(manifest),
    )


def _command(config: Mapping[str, Any], values: Mapping[str, str], inputs: Mapping[str, Input]) -> tuple[str, ...]:
    words = [config.get("command"), *_as_list(config.get("args", []))]
    if not all(isinstance(one, str) and one and one.isprintable() for one in words):
        raise NotTakenOver("its command is not a program and its arguments")
    texts = [
        _DIRECTORY.sub(f"{FOLDER}/", str(one)).replace("${/}", "/").replace("${pathSeparator}", "/") for one in words
    ]
    return tuple(baked(one, values, inputs) for one in texts)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _at(manifest: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found: Any = manifest
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise NotTakenOver(f"its manifest has no {'.'.join(keys)}")
    return found


def _inputs(value: Any) -> Mapping[str, Input]:
    found = {}
    for key, one in value.items() if isinstance(value, dict) else ():
        if isinstance(one, dict):
            found[key] = Input(
                description=" ".join(str(one.get("description", "")).split())[:200],
                secret=one.get("sensitive") is True,
                required=one.get("required") is True or one.get("sensitive") is True,
                default=one.get("default"),
            )
    return found


def _about(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    author = manifest.get("author")
    return {
        "version": manifest.get("version"),
        "description": manifest.get("description"),
        "license": manifest.get("license"),
        "homepage": manifest.get("homepage"),
        "author": author.get("name") if isinstance(author, dict) else author,
    }

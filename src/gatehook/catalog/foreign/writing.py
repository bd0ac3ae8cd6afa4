"""A foreign server as a plugin of the workspace: its directory, and what the configuration says of it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final
from urllib.parse import urlsplit

import attrs

from gatehook.catalog.foreign.servers import ForeignServer
from gatehook.catalog.foreign.servers import Setting
from gatehook.catalog.foreign.skeleton import adapter_skeleton
from gatehook.catalog.manifest import MANIFEST_NAME
from gatehook.catalog.manifest import fold
from gatehook.catalog.parsing import parse_manifest
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import importing as codes
from gatehook.kinds.kind import Kind

ADAPTER: Final = "adapter.py"
_LONGEST_ID: Final = 60


@attrs.frozen(kw_only=True)
class ImportedPlugin:
    """A plugin that was not written yet.

    Attributes:
        manifest: what ``plugin.json`` will say.
        files: everything in its directory, by path: contents, and whether it is a program.
        config: the ``config`` of its entry; secrets are references.
        has_adapter: whether somebody has to write its adapter.
    """

    id: str
    server: ForeignServer
    root: Path
    manifest: Mapping[str, Any]
    files: Mapping[str, tuple[bytes, bool]] = attrs.field(repr=False)
    config: Mapping[str, Any]
    has_adapter: bool

    def write(self) -> None:
        """Write the directory: it is there whole, or not at all.

        Raises:
            GatehookError: when it cannot be written.
        """
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root.parent, prefix=".import-") as folder:
                made = Path(folder) / "made"
                made.mkdir(mode=0o755)
                for path, (content, program) in self.files.items():
                    target = made / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
                    target.chmod(0o755 if program else 0o644)
                made.rename(self.root)
        except OSError as error:
            raise GatehookError(codes.IMPORT_REFUSED(path=self.root, reason=error.strerror or str(error))) from None

    def remove(self) -> None:
        """Take away what ``write`` made."""
        shutil.rmtree(self.root)


def plugin_of(
    server: ForeignServer, folder: Path, kinds: Sequence[Kind], taken: Collection[str], *, wire: bool
) -> ImportedPlugin:
    """Return the plugin that a server becomes; ``taken`` are the ids that there are.

    Raises:
        GatehookError: when there is such a plugin already.
    """
    plugin_id = _id(server.name, taken)
    root = folder / plugin_id.replace("-", "_")
    if root.exists() or fold(plugin_id) in {fold(one) for one in taken}:
        raise GatehookError(codes.IMPORT_EXISTS(plugin=plugin_id, server=server.name, path=root))
    manifest = _manifest(plugin_id, server, kinds, wire=wire)
    text = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    files = {**server.files, MANIFEST_NAME: (text, False)}
    if not wire:
        files[ADAPTER] = (adapter_skeleton(server.name, kinds).encode(), False)
    read, diagnostics = parse_manifest(text, root / MANIFEST_NAME)
    if read is None:
        raise GatehookError(*diagnostics)
    return ImportedPlugin(
        id=plugin_id,
        server=server,
        root=root,
        manifest=manifest,
        files=files,
        config={one.name: one.value for one in server.settings if one.value is not None},
        has_adapter=not wire,
    )


def _id(name: str, taken: Collection[str]) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower())
    plugin_id = "-".join(words)[:_LONGEST_ID].strip("-") or "server"
    if not plugin_id[0].isalpha():
        plugin_id = f"mcp-{plugin_id}"
    return f"{plugin_id}-mcp" if fold(plugin_id) in {fold(one) for one in taken} else plugin_id


def _manifest(plugin_id: str, server: ForeignServer, kinds: Sequence[Kind], *, wire: bool) -> Mapping[str, Any]:
    found: dict[str, Any] = {"id": plugin_id, "name": _line(server.name) or plugin_id, "version": _version(server)}
    for key in ("description", "license", "homepage"):
        if text := _line(server.about.get(key)):
            found[key] = text
    if author := _line(server.about.get("author")):
        found["authors"] = [author]
    found["kinds"] = [str(one) for one in kinds]
    found["entry"] = _entry(server, wire=wire)
    found["permissions"] = _permissions(server)
    found["configSchema"] = _schema(server.settings)
    return found


def _entry(server: ForeignServer, *, wire: bool) -> Mapping[str, Any]:
    entry: dict[str, Any] = {"type": "external.mcp"}
    if server.command is not None:
        entry["command"] = list(server.command)
    else:
        entry |= {"url": server.url, "transport": str(server.transport)}
    return entry if wire else {**entry, "adapter": ADAPTER}


def _permissions(server: ForeignServer) -> Mapping[str, Any]:
    if server.command is not None:
        return {"processes": [server.command[0]]}
    parts = urlsplit(server.url or "")
    return {"network": [parts.netloc.lower()]}


def _schema(settings: Sequence[Setting]) -> Mapping[str, Any]:
    properties = {}
    for one in settings:
        said: dict[str, Any] = {"type": "string", one.keyword: one.place}
        if one.description:
            said["description"] = one.description
        if one.secret:
            said["writeOnly"] = True
        properties[one.name] = said
    required = [one.name for one in settings if one.required]
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _version(server: ForeignServer) -> str:
    said = server.about.get("version")
    plain = isinstance(said, str) and re.fullmatch(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,4}", said)
    return str(said) if plain else "0.1.0"


def _line(value: Any) -> str:
    text = " ".join(value.split())[:200] if isinstance(value, str) else ""
    return text if text.isprintable() else ""

"""Which kind of foreign file it is, by its ending and its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gatehook.catalog.foreign.bundles import LARGEST_BUNDLE
from gatehook.catalog.foreign.bundles import read_bundle
from gatehook.catalog.foreign.mcp_json import read_mcp_json
from gatehook.catalog.foreign.servers import ForeignFile
from gatehook.catalog.foreign.servers import NotTakenOver
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import importing as codes

_ZIP: Final = b"PK\x03\x04"


def read_foreign(path: Path, values: Mapping[str, str]) -> ForeignFile:
    """Read a file of MCP servers; ``values`` fill the placeholders of commands.

    Raises:
        GatehookError: when it is none that is known, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BUNDLE + 1)
        return read_bundle(path, data, values) if data.startswith(_ZIP) else read_mcp_json(path, data, values)
    except NotTakenOver as reason:
        raise GatehookError(codes.IMPORT_REFUSED(path=path, reason=reason)) from None
    except OSError as error:
        raise GatehookError(codes.IMPORT_REFUSED(path=path, reason=error.strerror or str(error))) from None

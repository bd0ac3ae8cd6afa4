"""Writes directories of plugins for the benchmarks that read or load them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SOURCE = '''"""Quotes of nothing."""

from gatehook import MarketData
from gatehook import hookimpl


class Quotes(MarketData):
    """Has no instruments."""

    def __init__(self, context):
        self.context = context

    async def list_instruments(self, *, query=None):
        """Return nothing."""
        return []

    async def quote(self, instrument_id):
        """Fail."""
        raise LookupError(instrument_id)


@hookimpl
def provide_market_data(context):
    """Return the provider."""
    return Quotes(context)
'''


def name_of(number: int) -> str:
    """Return a plugin's id, which is its directory's name too."""
    return f"quotes_{number:04}"


def manifest(number: int) -> dict[str, Any]:
    """Return a manifest as authors write them."""
    return {
        "id": name_of(number),
        "name": f"Quotes {number}",
        "version": "1.2.3",
        "description": "Quotes of one venue, for a benchmark",
        "license": "Apache-2.0",
        "kinds": ["connector.marketData"],
        "entry": {"type": "python.module", "module": "plugin.py"},
        "requires": {"api": ">=1.0,<2"},
        "configSchema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "url": {"type": "string", "default": "https://quotes.example", "description": "Where the quotes are."},
                "token": {"type": "string", "description": "Who asks for them."},
                "interval": {"type": "number", "minimum": 0.05, "maximum": 60, "default": 1},
                "symbols": {"type": "array", "items": {"type": "string", "minLength": 1}, "default": []},
            },
        },
        "permissions": {"network": ["quotes.example:443"]},
        "capabilities": {"supportsTicks": True, "supportsHistory": True, "timeframes": ["1m", "1h"]},
    }


def write_plugins(directory: Path, count: int) -> list[Path]:
    """Write plugins of one module each; return their directories."""
    roots = []
    for number in range(count):
        root = directory / name_of(number)
        root.mkdir(parents=True, mode=0o755)
        (root / "plugin.json").write_text(json.dumps(manifest(number), indent=2))
        (root / "plugin.py").write_text(SOURCE)
        roots.append(root)
    return roots


def write_distributions(directory: Path, count: int, entry_points: Mapping[str, str]) -> None:
    """Write the metadata of installed distributions; ``entry_points``: each group's target, with ``{name}`` in it."""
    for number in range(count):
        name = name_of(number)
        metadata = directory / f"{name}-1.2.3.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
        lines = [f"[{group}]\n{name} = {target.format(name=name)}\n" for group, target in entry_points.items()]
        (metadata / "entry_points.txt").write_text("\n".join(lines))

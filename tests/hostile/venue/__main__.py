"""``python -m tests.hostile.venue``: see the package."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from tests.hostile.venue.server import Server
from tests.hostile.venue.settings import DEFAULTS


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    parser.add_argument("--proof", default=DEFAULTS["proof"])
    parser.add_argument("--account", default=DEFAULTS["account"])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another setting, as JSON")
    parser.add_argument("--chaos", type=int, metavar="SEED")
    given = parser.parse_args()
    more = dict(one.split("=", 1) for one in given.set)
    settings = {"proof": given.proof, "account": given.account}
    settings |= {name: type(DEFAULTS[name])(json.loads(value)) for name, value in more.items()}
    given.data.mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(given, settings))


async def _serve(given: argparse.Namespace, settings: dict) -> None:
    server = Server(given.data, settings)
    if given.chaos is not None:
        server.moods.chaos(given.chaos)
    await server.run(given.port, given.control)


main()

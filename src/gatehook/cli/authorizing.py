"""``gatehook plugins authorize``: a person agrees that the gateway uses an MCP server on their behalf."""

from __future__ import annotations

from typing import Final

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.plugins import plan_of
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import mcp_entries as codes

_MINUTES: Final = 10.0


@click.command("authorize")
@click.argument("entry")
@located
@reading
@click.option("--timeout", type=click.FloatRange(min=1), default=_MINUTES * 60, help="Seconds to wait for you.")
def authorize_entry(entry: str, where: Where, *, as_json: bool, timeout: float) -> None:
    """Agree in a browser that an entry uses its MCP server; the tokens are kept in the data directory."""
    import anyio

    from gatehook.host.assembly import entry_specs
    from gatehook.host.authorizing import authorize
    from gatehook.host.authorizing import grant_of

    config = where.load()
    spec = entry_specs(plan_of(where), config).get(entry)
    if spec is None:
        reason = "no entry of this name can run; `gatehook plugins list` says why"
        raise GatehookError(codes.NOT_AUTHORIZED(entry=entry, reason=reason))
    grant_of(spec)

    def show(address: str) -> None:
        note(f"open this address in a browser on this machine, and agree there:\n{address}")

    async def work() -> None:
        await authorize(spec, config, show, limit=timeout)

    anyio.run(work)
    note(f"{entry} is authorized; `gatehook plugins restart {entry}`")
    if as_json:
        write_document({"entry": entry, "authorized": True})

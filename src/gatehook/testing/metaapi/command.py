"""``gatehook dev fake-venue``: a stand-in for a venue, as a process."""

from __future__ import annotations

import click


@click.command("fake-venue")
@click.argument("venue", type=click.Choice(["metaapi"]))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port of the server; any free one unless given."
)
@click.option("--control-port", type=click.IntRange(0, 65535), help="Take controls on this port; 0 is any free one.")
@click.option(
    "--mode",
    type=click.Choice(["strict", "faithful"]),
    default="faithful",
    show_default=True,
    help="As one would wish it, or with the defects of the real server.",
)
@click.option("--token", help="Refuse connections without this token in their URL.")
@click.option(
    "--accounts",
    default="hedging,netting:netting",
    show_default=True,
    metavar="ID[:netting],…",
    help="The accounts; each is a hedging one unless it says otherwise.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The market: the same seed, the same prices.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
@click.option("--still", is_flag=True, help="Let prices stand still until the controls move them.")
def fake_venue(
    venue: str,
    *,
    port: int,
    control_port: int | None,
    mode: str,
    token: str | None,
    accounts: str,
    seed: int,
    still: bool,
) -> None:
    """Run a stand-in for a venue on the loopback until it is stopped; print where it is as a line of JSON."""
    import anyio

    from gatehook.testing.metaapi.running import Plan
    from gatehook.testing.metaapi.running import accounts_of
    from gatehook.testing.metaapi.running import run

    try:
        named = accounts_of(accounts)
    except ValueError as error:
        raise click.UsageError(f"--accounts: {error}") from None
    plan = Plan(mode, port, control_port, token, named, seed, drifting=not still)
    try:
        anyio.run(run, plan, click.echo)
    except OSError as error:
        raise click.ClickException(f"{venue} cannot listen: {error.strerror or error}") from None

"""A stand-in for a MetaApi MCP server: 32 tools over HTTP and SSE, with a MetaTrader-like trade server behind them.

On the loop of a test::

    async with MetaApiVenue(mode="faithful", token="secret") as venue:
        venue.url                                     # http://127.0.0.1:PORT/sse?token=secret
        venue.url_of("hedging")                       # the same with &accounts=hedging
        venue.set_price("EURUSD", "1.10000", "1.10020")           # moves the market; what it reaches is filled at once
        venue.set_price("EURUSD", "1.10000", "1.10020", size=3)   # three lots a side, then nothing more

        with venue.failing(Fault.DROP_REPLY, tool="place_market_order"):
            ...                                       # for as long as the block lasts
        venue.fail(Fault.PARTIAL, times=1, fraction="0.5")        # the next call that it fits
        venue.fail(Fault.ERROR, code="TRADE_CONTEXT_BUSY", times=2)
        venue.heal()                                  # no faults any more

        venue.requests                                # every trading request that arrived: tool, arguments, executed
        await venue.arrived(3)                        # waits until three of them have
        venue.book("hedging")                         # balance, positions, orders, history, deals; state, connection
        venue.stranger("hedging", "EURUSD", "1", "1.05")          # somebody else rests a limit order (-1 sells)
        venue.change_tool("close_position", description="…", input_schema={…})   # or hide=True
        venue.cut_streams()                           # ends every session; new ones are taken
        venue.freeze(); venue.thaw()                  # half-open: nothing is read or written, nothing is closed
        await venue.die(); await venue.restart()      # connection refused in between; same port, same accounts
        venue.first_call_delay = 60                   # an account's first call of a session takes a minute
        venue.initialize_delay = 10                   # so does the handshake

``MetaApiVenue(omitted_stops="remove")`` takes away the protection that a change does not name, instead of keeping it.
``MetaApiVenue(world=other.world)`` goes on with another server's accounts. Nothing depends on chance: the past of a
market is made of ``seed``, and its price stands still until it is set (``drifting=True``: it walks).

``mode="strict"`` is a server as one would wish it: arguments are checked against the schemas, accounts that the
connection does not name are refused, a ``clientId`` that does not fit is refused. ``mode="faithful"`` has the
defects of the real one; ``docs/metaapi-stand-in.md`` lists them.

``gatehook dev fake-venue metaapi`` runs one as a process; ``POST /control`` on its control port does all of the above.
Everything here runs on asyncio and trio, and imports neither the MCP SDK nor a web framework: faults happen on
sockets and in frames, which those keep to themselves.
"""

from __future__ import annotations

from gatehook.testing.metaapi.book import Book
from gatehook.testing.metaapi.faults import Fault
from gatehook.testing.metaapi.settings import AccountSettings
from gatehook.testing.metaapi.settings import SymbolSettings
from gatehook.testing.metaapi.venue import MetaApiVenue
from gatehook.testing.metaapi.venue import Mode
from gatehook.testing.metaapi.world import Request
from gatehook.testing.metaapi.world import World

__all__ = [
    "AccountSettings",
    "Book",
    "Fault",
    "MetaApiVenue",
    "Mode",
    "Request",
    "SymbolSettings",
    "World",
]

"""The hostile broker under the suites: one venue process for all tests of a worker, made new for each."""

from __future__ import annotations

import json
import shutil
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import attrs

from gatehook.testing import BrokerRig
from gatehook.testing import Fault
from tests.hostile.control import VenueProcess

PLUGIN = Path(__file__).parent / "plugin"
LEAST = {"cash": Decimal(2000), "netting": Decimal(2000), "hedging": Decimal("0.02")}
BID, ASK = Decimal("1.10000"), Decimal("1.10010")
PROOFS = ("scan", "by_id+lag", "bounded_request", "none")
ACCOUNTS = ("cash", "netting", "hedging")
CAPABILITIES = {
    "orderTypes": ["market", "limit", "stop"],
    "timesInForce": ["gtc", "ioc", "fok"],
    "supportsAmend": True,
    "supportsCancelAll": True,
    "supportsPostOnly": True,
    "orderLists": ["oco"],
    "supportsEvents": True,
    "clientOrderIdLength": 32,
}
OF_POSITIONS = {"supportsReduceOnly": True, "supportsClosePosition": True, "supportsProtection": True}
#: What an account of a kind can do.
BY_ACCOUNT = {
    "cash": {"accountTypes": ["cash"], "positionModes": ["none"]},
    "netting": {"accountTypes": ["margin"], "positionModes": ["netting"], **OF_POSITIONS},
    "hedging": {"accountTypes": ["margin"], "positionModes": ["hedging"], **OF_POSITIONS},
}


@attrs.frozen
class Variant:
    """One of the venues that there are: how it proves absence, and how it keeps accounts."""

    proof: str = "scan"
    account: str = "netting"

    def __str__(self) -> str:
        return f"{self.account} {self.proof}"

    def plugin(self, into: Path, *, priced: bool = False) -> Path:
        """Write the plugin's directory, with the manifest of this variant; ``priced`` gives the venue's quotes too."""
        shutil.copytree(PLUGIN, into, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (into, *into.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        manifest = json.loads((PLUGIN / "plugin.json").read_text())
        manifest["capabilities"] = CAPABILITIES | BY_ACCOUNT[self.account] | {"absenceProof": self.proof}
        if priced:
            manifest["kinds"].append("connector.marketData")
            manifest["entry"]["module"] = "priced.py"
        (into / "plugin.json").write_text(json.dumps(manifest))
        return into


#: By fault, the mood that brings it about.
MOODS = {
    Fault.DROP_REPLY: "drop_reply",
    Fault.UNMAPPED_CODE: "unmapped",
    Fault.FILL_BEFORE_CANCEL: "fill_before_cancel",
    Fault.DROP_REQUEST: "drop_request",
}
#: What a stranger places: it rests, far away from the market.
STRANGE = {"client": None, "type": "limit", "side": "buy", "price": "0.50000", "trigger": None, "tif": "gtc"}
STRANGE |= {"post_only": False, "reduce_only": False, "position": None}
#: By fault, the control request that brings it about, and the one that ends it.
CALM = {"do": "calm"}
REQUESTS = {
    Fault.CUT_STREAM: ({"do": "state", "mute": True}, {"do": "state", "mute": False}),
    Fault.LOSE_FILL: ({"do": "mood", "mood": "lose_fill", "on": ["submit", "quote", "fill"]}, CALM),
    Fault.STRANGER: ({"do": "external", "account": "main", "order": STRANGE}, CALM),
    Fault.RATE_LIMIT: ({"do": "mood", "mood": "rate_limited", "count": 1, "retry_after": 0.7}, CALM),
    Fault.LATE_RATE_LIMIT: ({"do": "mood", "mood": "rate_limited_after", "count": 1, "retry_after": 0.1}, CALM),
    Fault.BAN: ({"do": "state", "banned": 0.7}, {"do": "state", "banned": 0}),
    Fault.REFUSE_CONNECTION: ({"do": "close"}, {"do": "open"}),
    Fault.CLOCK_SKEW: ({"do": "state", "skew": 60_000}, {"do": "state", "skew": 0}),
    Fault.INCOMPLETE: ({"do": "state", "synchronizing": True}, {"do": "state", "synchronizing": False}),
}


class HostileVenue:
    """A rig's venue in another process."""

    faults = frozenset(MOODS) | frozenset(REQUESTS)

    def __init__(self, process: VenueProcess, least: Decimal) -> None:
        self.process = process
        self._least = str(least)
        self.control = process.control

    async def quote(self, bid, ask, size=None):
        await self.control("quote", bid=str(bid), ask=str(ask), size=None if size is None else str(size))
        await self.control("told")

    async def requests(self):
        return (await self.control("requests"))["requests"]

    @asynccontextmanager
    async def fault(self, fault):
        begin, end = REQUESTS[fault] if fault in REQUESTS else ({"do": "mood", "mood": MOODS[fault]}, CALM)
        if fault is Fault.STRANGER:
            begin = begin | {"order": STRANGE | {"quantity": self._least}}
        await self.control(**begin)
        try:
            yield
        finally:
            await self.control(**end)


def config_of(process: VenueProcess, variant: Variant, token="a-token", **sections):
    """Write the configuration of a gateway with this one broker."""
    allowed = ["main", "second"] if variant.account == "hedging" else ["main"]
    about = {"port": process.port, "token": token, "allowedAccounts": allowed}
    return {
        "gateway": {"mode": "paper"},
        "plugins": {"entries": {"hostile": {"config": about}}},
        "trading": {"reconcile_every": 0.5},
        "limits": {"hostile": {"max_open_orders": 100}},
        "permissions": [{"caller": "asked", "decision": "ask"}],
        **sections,
    }


@asynccontextmanager
async def hostile(plugin_host, process: VenueProcess, folder: Path, variant: Variant, token="a-token", **sections):
    """Run the plugin of a variant, or a copy of it in ``folder``, against a venue made new."""
    await process.control("reset", proof=variant.proof, account=variant.account)
    async with plugin_host(paths=[folder], config=config_of(process, variant, token, **sections)) as host:
        hedging = "second" if variant.account == "hedging" else None
        yield await BrokerRig.of(
            host,
            "hostile",
            symbol="EURUSD",
            bid=BID,
            ask=ASK,
            venue=HostileVenue(process, LEAST[variant.account]),
            hedging=hedging,
            forbidden="locked",
            asked="asked",
        )

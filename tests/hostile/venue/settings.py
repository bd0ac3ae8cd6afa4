"""What a venue is: its accounts, its instrument, and how it proves that an order never arrived."""

from __future__ import annotations

DEFAULTS = {
    "proof": "scan",  # scan, by_id+lag, bounded_request, none
    "account": "netting",  # cash, netting, hedging
    "mode": "paper",  # the word it proves an account's mode with
    "lag": 0.2,  # seconds until an order can be looked up by its id, for by_id+lag
    "window": 1.0,  # seconds that a request is good for, for bounded_request
    "skew": 30.0,  # seconds that a clock may be off
    "bid": "1.10000",
    "ask": "1.10010",
    "money": "1000000",  # that an account has at the start
}
UNITS = {
    "cash": {"unit": "base", "contract": "1", "step": "1000", "least": "2000", "most": "10000000"},
    "netting": {"unit": "base", "contract": "1", "step": "1000", "least": "2000", "most": "10000000"},
    "hedging": {"unit": "lots", "contract": "100000", "step": "0.01", "least": "0.02", "most": "100"},
}


def completed(given: dict) -> dict:
    """Return all settings.

    Raises:
        KeyError: for one that there is not.
    """
    for name in given:
        if name not in DEFAULTS:
            raise KeyError(name)
    return DEFAULTS | given


def accounts_of(settings: dict) -> dict[str, str]:
    """The accounts, each with its kind."""
    kind = settings["account"]
    return {"main": kind, **({"second": kind} if kind == "hedging" else {}), "locked": kind}


def instrument_of(settings: dict) -> dict:
    """The instrument, in the wire's words."""
    return {"symbol": "EURUSD", "base": "EUR", "quote": "USD", "tick": "0.00001", **UNITS[settings["account"]]}

"""The table of all commands: where each is, and its help in a line (also the first line of its docstring)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatehook.cli.lazy import Lazy
from gatehook.cli.lazy import Subject

_PLUGINS: Final = {
    "list": Lazy("gatehook.cli.plugins:list_plugins", "List every plugin found, and whether it may run."),
    "show": Lazy("gatehook.cli.plugins:show", "Show a plugin: what it is, declares and asks for."),
    "why": Lazy("gatehook.cli.plugins:why", "Print the chain of decisions about a plugin."),
    "doctor": Lazy("gatehook.cli.plugins:doctor", "Print every finding about plugins and configuration."),
    "enable": Lazy("gatehook.cli.consent:enable", "Consent to a plugin's code, as it is now."),
    "disable": Lazy("gatehook.cli.consent:disable", "Take back the consent to a plugin's code."),
    "lock": Lazy("gatehook.cli.consent:lock", "Write the set of plugins that `run --locked` insists on."),
    "restart": Lazy("gatehook.cli.running:restart", "Restart an entry of the running gateway."),
}
_CONFIG: Final = {
    "check": Lazy("gatehook.cli.config:check", "Check the configuration; nothing is started."),
    "show": Lazy("gatehook.cli.config:show", "Show the whole configuration, secrets as references."),
    "schema": Lazy("gatehook.cli.config:schema", "Print the JSON Schema of gatehook.toml."),
    "get": Lazy("gatehook.cli.config:get", "Print one value of the configuration."),
    "set": Lazy("gatehook.cli.config:set_value", "Set or remove one value; comments are kept."),
    "explain": Lazy("gatehook.cli.config:explain", "Say where a value comes from, and what a change needs."),
}
_ORDERS: Final = {
    "place": Lazy("gatehook.cli.orders:place", "Place an order: BUY or SELL, how much, of what."),
    "list": Lazy("gatehook.cli.orders:list_orders", "List orders, newest first."),
    "show": Lazy("gatehook.cli.orders:show", "Show one order with its fills."),
    "cancel": Lazy("gatehook.cli.orders:cancel", "Cancel what is left of an order."),
}
_MODE: Final = {
    "show": Lazy("gatehook.cli.mode:show", "Show the mode, and whether live trading is confirmed."),
    "confirm-live": Lazy(
        "gatehook.cli.mode:confirm_live", "Confirm, once for a data directory, that live trading is meant."
    ),
}
_AUDIT: Final = {
    "list": Lazy("gatehook.cli.audit:list_records", "List the records of trading, consent and configuration."),
    "verify": Lazy("gatehook.cli.audit:verify_records", "Prove that the audit is whole and has every command."),
    "export": Lazy("gatehook.cli.audit:export", "Write all records to a file, or to the standard output."),
}
_MEMORY: Final = {
    "search": Lazy("gatehook.cli.memory:search", "Search what the gateway remembers; any text is a safe query."),
    "add": Lazy("gatehook.cli.memory:add", "Remember a note."),
    "stats": Lazy("gatehook.cli.memory:stats", "Say what the memory holds."),
}

COMMANDS: Final[Mapping[str, Lazy | Subject]] = {
    "run": Lazy("gatehook.cli.run:run", "Run the gateway until it is stopped."),
    "status": Lazy("gatehook.cli.running:status", "Say how the running gateway is."),
    "mode": Subject("See whose money is traded, and confirm live trading.", _MODE, default="show"),
    "plugins": Subject("See and manage plugins.", _PLUGINS),
    "config": Subject("See, check and edit the configuration.", _CONFIG),
    "slots": Subject(
        "See and switch what fills a slot.",
        {
            "list": Lazy("gatehook.cli.slots:list_slots", "List the slots, who fills them and who could."),
            "use": Lazy("gatehook.cli.slots:use", "Let an entry fill a slot; while running, without a restart."),
        },
        default="list",
    ),
    "orders": Subject("Place, list and cancel orders.", _ORDERS, default="list"),
    "positions": Subject(
        "See positions.",
        {"list": Lazy("gatehook.cli.accounts:positions", "List open positions.")},
        default="list",
    ),
    "fills": Subject(
        "See fills.",
        {"list": Lazy("gatehook.cli.orders:fills", "List fills, newest first.")},
        default="list",
    ),
    "accounts": Lazy("gatehook.cli.accounts:accounts", "List accounts with their money."),
    "quote": Lazy("gatehook.cli.market:quote", "Print the newest quote of an instrument."),
    "instruments": Lazy("gatehook.cli.market:instruments", "List what can be traded."),
    "memory": Subject("Search and feed the memory.", _MEMORY),
    "audit": Subject("Read and prove the audit.", _AUDIT, default="list"),
    "events": Subject(
        "Watch what happens.",
        {"tail": Lazy("gatehook.cli.events:tail", "Print events as they happen.")},
    ),
    "logs": Lazy("gatehook.cli.events:logs", "Print the newest lines of the log."),
    "paper": Subject(
        "Manage the paper broker.",
        {"reset": Lazy("gatehook.cli.paper:reset", "Put a paper broker's accounts back to their start.")},
    ),
}

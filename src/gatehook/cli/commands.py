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
    "enable": Lazy(
        "gatehook.cli.consent:enable", "Consent to a plugin's code, as it is now, and to its server's tools."
    ),
    "disable": Lazy("gatehook.cli.consent:disable", "Take back the consent to a plugin's code."),
    "lock": Lazy("gatehook.cli.consent:lock", "Write the set of plugins that `run --locked` insists on."),
    "import": Lazy("gatehook.cli.importing:import_servers", "Turn an mcp.json, mcpServers or .mcpb file into plugins."),
    "serve": Lazy("gatehook.cli.serve_plugin:serve_plugin", "Serve a plugin over the wire, as an MCP server."),
    "authorize": Lazy(
        "gatehook.cli.authorizing:authorize_entry",
        "Agree in a browser that an entry uses its MCP server; the tokens are kept in the data directory.",
    ),
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
    "amend": Lazy("gatehook.cli.changes:amend", "Change a working order."),
    "resolve": Lazy("gatehook.cli.by_hand:resolve", "Say what became of an unknown order, on evidence from the venue."),
    "adopt": Lazy("gatehook.cli.by_hand:adopt", "Take over an order that was placed outside the gateway."),
}
_POSITIONS: Final = {
    "list": Lazy("gatehook.cli.accounts:positions", "List open positions."),
    "close": Lazy("gatehook.cli.changes:close", "Close a position, or a part of it, at the market."),
    "protect": Lazy("gatehook.cli.changes:protect", "Set a position's protection; what is not named is removed."),
    "acknowledge": Lazy(
        "gatehook.cli.by_hand:acknowledge", "Accept the positions as the venue reports them; new risk may follow."
    ),
}
_APPROVALS: Final = {
    "list": Lazy("gatehook.cli.approvals:list_approvals", "List what waits for a person."),
    "show": Lazy("gatehook.cli.approvals:show", "Show exactly what an approval would let out."),
    "approve": Lazy(
        "gatehook.cli.approvals:approve",
        "Show what waits, and send it once you say yes; what is shown is what is sent.",
    ),
    "reject": Lazy("gatehook.cli.approvals:reject", "Say no to what waits; nothing is sent."),
}
_PERMISSIONS: Final = {
    "list": Lazy(
        "gatehook.cli.permissions:list_permissions",
        "List the rules, the defaults of the mode, and the grants with what is left of them.",
    ),
    "grant": Lazy(
        "gatehook.cli.permissions:grant",
        "Allow in advance what a person would be asked; a rule that denies still denies.",
    ),
    "revoke": Lazy("gatehook.cli.permissions:revoke", "Take a grant back; from now on a person is asked."),
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
    "index": Lazy(
        "gatehook.cli.memory_index:index", "Index the folders that are remembered now, and say what changed."
    ),
    "search": Lazy("gatehook.cli.memory:search", "Search what the gateway remembers; any text is a safe query."),
    "explain": Lazy("gatehook.cli.memory:explain", "Say why a search finds a document, or why it does not."),
    "add": Lazy("gatehook.cli.memory_documents:add", "Remember a note."),
    "forget": Lazy(
        "gatehook.cli.memory_documents:forget", "Forget documents so that no byte of them stays in the memory's files."
    ),
    "stats": Lazy("gatehook.cli.memory_documents:stats", "Say what the memory holds."),
    "reindex": Lazy(
        "gatehook.cli.memory_work:reindex", "Build the memory's indices again from its texts, while searches go on."
    ),
    "migrate": Lazy(
        "gatehook.cli.memory_moving:migrate",
        "Copy all documents of one memory entry to another, and compare both; stopped anywhere, it goes on from there.",
    ),
    "export": Lazy(
        "gatehook.cli.memory_work:export_file",
        "Write all documents to a file, or to the standard output, a line of JSON each.",
    ),
    "import": Lazy(
        "gatehook.cli.memory_work:import_documents",
        "Read an export into the memory; what it has already stays as it is. A bad line keeps everything out.",
    ),
    "tune": Lazy(
        "gatehook.cli.memory_work:tune",
        "Measure on labelled queries how much meaning should count beside words; nothing is changed.",
    ),
}

COMMANDS: Final[Mapping[str, Lazy | Subject]] = {
    "run": Lazy("gatehook.cli.run:run", "Run the gateway until it is stopped."),
    "status": Lazy("gatehook.cli.running:status", "Say how the running gateway is."),
    "halt": Lazy(
        "gatehook.cli.halt:halt", "Halt trading: all of it, or entry:ID, account:ENTRY/ACCOUNT, subscription:NAME."
    ),
    "resume": Lazy(
        "gatehook.cli.halt:resume",
        "Lift the halt of one scope; `all` lifts the halt of all, not those of narrower scopes.",
    ),
    "approvals": Subject("Answer for commands that wait for a person.", _APPROVALS, default="list"),
    "permissions": Subject("See what is allowed, and allow in advance.", _PERMISSIONS, default="list"),
    "limits": Subject(
        "See the limits.",
        {"show": Lazy("gatehook.cli.limits:show", "Show each limit with its use and what is left.")},
        default="show",
    ),
    "reconciliation": Lazy(
        "gatehook.cli.by_hand:reconciliation",
        "Say of each account whether it agrees with its venue, and what stands against new risk.",
    ),
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
    "orders": Subject("Place, list, change and settle orders.", _ORDERS, default="list"),
    "positions": Subject("See, close and protect positions.", _POSITIONS, default="list"),
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
    "dev": Subject(
        "Try things out without a venue.",
        {
            "fake-venue": Lazy(
                "gatehook.testing.metaapi.command:fake_venue",
                "Run a stand-in for a venue on the loopback until it is stopped; print where it is as a line of JSON.",
            ),
        },
    ),
    "paper": Subject(
        "Manage the paper broker.",
        {"reset": Lazy("gatehook.cli.paper:reset", "Put a paper broker's accounts back to their start.")},
    ),
}

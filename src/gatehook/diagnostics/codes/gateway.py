"""Codes of the running gateway and its control socket."""

from __future__ import annotations

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

LIVE_UNCONFIRMED = Code(
    "gateway.live-unconfirmed",
    Severity.ERROR,
    "The mode is live, and nobody has confirmed live trading on the data directory {path}.",
    "Read `gatehook mode show`; then, once, `gatehook mode confirm-live --data-dir {path}`.",
)
LIVE_UNREADABLE = Code(
    "gateway.live-unreadable",
    Severity.ERROR,
    "The confirmation of live trading in {path} cannot be used: {why}.",
    "Remove the file, look at who can write to its directory, and run `gatehook mode confirm-live` again.",
)
SOCKET_PATH_TOO_LONG = Code(
    "gateway.socket-path-too-long",
    Severity.ERROR,
    "The path of the control socket in {path} is longer than {limit} bytes.",
    "Choose a data directory with a shorter path (--data-dir or gateway.data_dir).",
)
REPLAY_FILE = Code(
    "gateway.replay-file",
    Severity.ERROR,
    "The replay file {path} cannot be read: {why}.",
    "Name a CSV file of candles or ticks that you may read.",
)
REPLAY_FAILED = Code(
    "gateway.replay-failed",
    Severity.ERROR,
    "The replay of {path} did not start: {why}.",
    "Mend the file, or what `gatehook plugins why replay` says.",
)
BAD_REQUEST = Code(
    "gateway.bad-request",
    Severity.ERROR,
    "The request to {method} is not understood: {why}.",
    "Correct it; the command's `--help` shows how. An instrument is SYMBOL.VENUE, as in `gatehook instruments`.",
)
NO_ENTRY = Code(
    "gateway.no-entry",
    Severity.ERROR,
    "No active entry provides {what}{hint}.",
    "`gatehook status` shows the entries and why one is down.",
)
CHOOSE_ACCOUNT = Code(
    "gateway.choose-account",
    Severity.ERROR,
    "It is not clear which account is meant: there are {accounts}.",
    "Name one with --account ENTRY/ACCOUNT.",
)
UNKNOWN_INSTRUMENT = Code(
    "gateway.unknown-instrument",
    Severity.ERROR,
    "No instrument is called {instrument}{hint}.",
    "`gatehook instruments` lists them.",
)
UNKNOWN_ORDER = Code(
    "gateway.unknown-order",
    Severity.ERROR,
    "No order has the id {order}.",
    "`gatehook orders list` shows the orders.",
)
TOO_SLOW = Code(
    "gateway.too-slow",
    Severity.ERROR,
    "{method} was not done within {seconds} seconds.",
    "Look with `gatehook status`; what was asked for may have been done.",
)
FAILED = Code(
    "gateway.method-failed",
    Severity.ERROR,
    "{method} failed inside the gateway with {kind}.",
    "`gatehook logs` has the details.",
)
NOT_REMEMBERED = Code(
    "gateway.not-remembered",
    Severity.WARNING,
    "Orders and fills are not being remembered: {why}.",
    "They are safe in the journal, and written once the memory works; `gatehook slots list` shows what fills it.",
)
LOG_LOST = Code(
    "gateway.log-lost",
    Severity.WARNING,
    "Lines of the log are being lost: {why}.",
    "See whether the disk of {path} is full or slow; `gatehook status` counts them.",
)
DISK_LOW = Code(
    "gateway.disk-low",
    Severity.WARNING,
    "Less than {limit} MB are left on the disk of {path}.",
    "Make room: orders are refused when the journal cannot be written, cancels still work.",
)
CLOCK_JUMPED = Code(
    "gateway.clock-jumped",
    Severity.WARNING,
    "The machine's clock went {seconds} seconds {direction}, or the machine slept.",
    "Deadlines are not affected; look at orders that expire at a time (GTD, DAY), and at the machine's time service.",
)
STILL_UNKNOWN = Code(
    "gateway.still-unknown",
    Severity.ERROR,
    "The outcome of the order {order} of {entry} has been unknown for more than a minute.",
    "New risk on its account is refused meanwhile. Look the order up at the venue; where no evidence comes by itself,"
    " `gatehook orders resolve {order} --status … --evidence …`.",
)
BROKER_DOWN = Code(
    "gateway.broker-down",
    Severity.ERROR,
    'CRITICAL: the broker "{entry}" does not run, and something is open there ({held}): {why}.',
    "`gatehook plugins restart {entry}`; what protects at the venue goes on working, the rest has to be done there.",
)

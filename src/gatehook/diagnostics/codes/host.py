"""Running plugins: entries started, supervised and stopped, hooks and providers called, slots, the data directory."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

DATA_DIR_LOCKED: Final = Code(
    "host.data-dir-locked",
    Severity.ERROR,
    "The data directory {path} is in use by {holder}.",
    "Stop that gateway, or give this one a directory of its own: gateway.data_dir.",
)
DATA_DIR_UNUSABLE: Final = Code(
    "host.data-dir-unusable",
    Severity.ERROR,
    "The data directory {path} cannot be used: {error}.",
    "Give gateway.data_dir a directory that you own and can write to.",
)
HOOK_FAILED: Final = Code(
    "host.hook-failed",
    Severity.ERROR,
    'The hook {hook} of the plugin "{plugin}" raised {error}.',
    "Mend the hook; the gateway goes on without what it would have done.",
)
WRONG_PROVIDER: Final = Code(
    "host.wrong-provider",
    Severity.ERROR,
    'The hook {hook} of the plugin "{plugin}" returned {found}; expected {expected}.',
    "Return a new instance of a subclass of gatehook's base class from an ordinary (not async) function.",
)
START_FAILED: Final = Code(
    "host.start-failed",
    Severity.WARNING,
    'The entry "{entry}" did not start: {error}.',
    "It is tried again with growing pauses; `gatehook plugins why {entry}` says how it goes on.",
)
NOT_READY: Final = Code(
    "host.not-ready",
    Severity.WARNING,
    'The entry "{entry}" started, but was not ready within {limit} s: {why}.',
    "Look at the venue or the network; it goes on trying, and is used as far as it works.",
)
CRASHED: Final = Code(
    "host.crashed",
    Severity.ERROR,
    'The entry "{entry}" crashed: {error}.',
    "It is started again. Report it to the plugin's author; at the log level debug the log has the traceback.",
)
STOP_FAILED: Final = Code(
    "host.stop-failed",
    Severity.WARNING,
    'The entry "{entry}" did not let go cleanly: {error}.',
    "Report this to the plugin's author: __aexit__ ends in time and raises nothing.",
)
QUARANTINED: Final = Code(
    "host.quarantined",
    Severity.ERROR,
    'The entry "{entry}" failed {count} times within {window} s and is in quarantine: {error}.',
    "Mend the cause, then run `gatehook plugins restart {entry}`.",
)
BROKER_UNSTEADY: Final = Code(
    "host.broker-unsteady",
    Severity.ERROR,
    'CRITICAL: the broker "{entry}" fails again and again with open risk ({risk}): {error}.',
    "It is not quarantined, so that cancels can pass; look after the open risk at the venue itself.",
)
CALL_FAILED: Final = Code(
    "host.call-failed",
    Severity.WARNING,
    'A call of {call} in the entry "{entry}" raised {error}.',
    "Report it to the plugin's author: providers raise gatehook's errors only. At debug the log has the traceback.",
)
CAPABILITY_NARROWER: Final = Code(
    "host.capability-narrower",
    Severity.WARNING,
    'The entry "{entry}" cannot do what its manifest declares for {kind}: {keys}.',
    "These are withdrawn until its next start; correct the manifest if it is always so.",
)
CAPABILITY_WIDER: Final = Code(
    "host.capability-wider",
    Severity.INFO,
    'The entry "{entry}" can do more than its manifest declares for {kind}: {keys}.',
    "It is ignored; declare it in the manifest's capabilities to use it.",
)
ENTRY_UNKNOWN: Final = Code(
    "host.entry-unknown",
    Severity.ERROR,
    'There is no active entry "{name}" that provides {kind}{hint}.',
    "`gatehook plugins list` shows every entry and why it is not active.",
)
USE_UNDECLARED: Final = Code(
    "host.use-undeclared",
    Severity.ERROR,
    'The entry "{entry}" asked for the entry "{used}", which its configuration does not name.',
    "Give the configuration schema a property with x-gatehook-entry, and pass its value to context.use.",
)
VENUE_TAKEN: Final = Code(
    "host.venue-taken",
    Severity.ERROR,
    'The entries "{first}" and "{entry}" have the same venue {venue}; instrument ids would mean two things.',
    "Set plugins.entries.{entry}.venue to another name.",
)
SLOT_SWITCH_FAILED: Final = Code(
    "host.slot-switch-failed",
    Severity.ERROR,
    'The slot {slot} stays as it was: "{entry}" {error}.',
    "Mend the entry and try again; `gatehook plugins list` shows which entries can fill the slot.",
)
NOT_RUNNING: Final = Code(
    "host.not-running",
    Severity.ERROR,
    "The host is not running: {what} is not possible.",
    "Use it inside `async with PluginHost.from_config(...) as host:`.",
)
RATE_LIMITED: Final = Code(
    "host.rate-limited",
    Severity.WARNING,
    'The venue of the entry "{entry}" refused for too many requests: nothing leaves with its credential for a while.',
    "Ask for less, or set requests_per_minute of the entry below what the venue takes; `gatehook status` says how "
    "long.",
)

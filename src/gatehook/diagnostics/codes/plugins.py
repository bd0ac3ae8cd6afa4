"""Why a plugin may not take part, why an entry provides nothing, and what a configuration names in vain."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_INFO: Final = Severity.INFO

# What is wrong with the files
WRITABLE: Final = Code(
    "plugins.writable-by-others",
    _ERROR,
    "{path} can be written by every user of this machine.",
    "Run: chmod o-w {quoted}",
)
WRONG_OWNER: Final = Code(
    "plugins.wrong-owner",
    _ERROR,
    "{path} belongs to user {uid}, not to you or root.",
    "Run: sudo chown -R {us} {quoted}, or name {uid} in plugins.trusted_uids.",
)
HARD_LINK: Final = Code(
    "plugins.hard-link",
    _ERROR,
    "{path} has {links} names (hard links); it can be changed under another one.",
    "Replace it by a copy: cp {quoted} {quoted}.new && mv {quoted}.new {quoted}",
)
ESCAPES: Final = Code(
    "plugins.escapes",
    _ERROR,
    "{path} is a symbolic link that leads out of the plugin's directory.",
    "Put the file itself into the directory.",
)
NOT_A_FILE: Final = Code("plugins.not-a-file", _ERROR, "{path} is {found}, not a file.", "Put a regular file there.")
UNREADABLE: Final = Code("plugins.unreadable", _ERROR, "{path} cannot be opened: {reason}.", "Run: chmod u+rX {quoted}")
PATH_WITHOUT_PLUGIN: Final = Code(
    "plugins.path-without-plugin",
    _WARNING,
    "{path} holds no plugin: neither a plugin.json nor a directory with one.",
    "Name a plugin's directory, or a directory of plugins.",
)
DISTRIBUTION_BROKEN: Final = Code(
    "plugins.distribution-broken",
    _ERROR,
    "The installed distribution {distribution} names the package {package} as a plugin, but {reason}.",
    "Reinstall it, or report it to its authors: pip install --force-reinstall {distribution}",
)

# Admission
OFF: Final = Code("plugins.off", _INFO, "All plugins are switched off.", "Set plugins.enabled = true.")
DENIED: Final = Code(
    "plugins.denied", _INFO, "{plugin} is denied by plugins.deny.", "Remove it from plugins.deny to let it run."
)
BLOCKLISTED: Final = Code(
    "plugins.blocklisted",
    _ERROR,
    "{plugin} {version} is on the block list: {reason}{link}.",
    "{advice}",
)
API_MISMATCH: Final = Code(
    "requires.api",
    _ERROR,
    "{plugin} needs the plugin API {wanted}; this Gatehook has {found}.",
    "Install a version of {plugin} or of Gatehook that fits.",
)
PACKAGES_MISSING: Final = Code(
    "requires.packages", _ERROR, "{plugin} needs Python packages: {missing}.", "Run: pip install {install}"
)
RUNTIME_UNAVAILABLE: Final = Code(
    "runtime.unavailable",
    _ERROR,
    "{plugin} needs the runtime {runtime}, which this Gatehook does not have.",
    "Use a Gatehook that has it; it has {available}.",
)
SHADOWED: Final = Code(
    "plugins.shadowed",
    _INFO,
    "{plugin} is shadowed by the one from {holder}.",
    'To run this one, set plugins.overrides.{plugin} = "{choice}".',
)
DUPLICATE_ID: Final = Code(
    "plugins.duplicate-id",
    _ERROR,
    "Two plugins from {origin} have the id {plugin}, or one that looks the same: {paths}. Neither runs.",
    'Say which: plugins.overrides.{plugin} = "{choice}", or remove one.',
)
NOT_ALLOWED: Final = Code(
    "plugins.not-allowed",
    _INFO,
    "{plugin} is not in plugins.allow, which is not empty.",
    "Add it to plugins.allow to let it run.",
)
NOT_LOCKED: Final = Code(
    "lock.missing", _ERROR, "{plugin} is not in the lock.", "Run without --locked, or: gatehook plugins lock"
)
LOCK_DIFFERS: Final = Code(
    "lock.differs",
    _ERROR,
    "{plugin} is not what the lock recorded: its {what} is {found}, recorded is {recorded}.",
    "Restore what was locked, or after a look: gatehook plugins lock",
)
NEEDS_CONSENT: Final = Code(
    "consent.missing",
    _WARNING,
    "{plugin} from {origin} is code that nobody has agreed to run.",
    "Look at it, then: gatehook plugins enable {plugin}",
)
CONSENT_CHANGED: Final = Code(
    "consent.changed",
    _WARNING,
    "{plugin} changed after it was enabled: {what}.",
    "Look at the change, then: gatehook plugins enable {plugin}",
)
TREE_REFUSED: Final = Code(
    "consent.tree-refused",
    _ERROR,
    "The files of {plugin} cannot be trusted: {reason} ({path}).",
    "Remove or replace it, then: gatehook plugins enable {plugin}",
)
DEV_PAPER_ONLY: Final = Code(
    "consent.dev-paper-only",
    _ERROR,
    "{plugin} is run with --dev, which works in paper mode only; the mode is {mode}.",
    "Run in paper mode, or without --dev after: gatehook plugins enable {plugin}",
)
FILE_CHANGED: Final = Code(
    "consent.file-changed",
    _ERROR,
    "{path} is not the file that was agreed to.",
    "Look at the change, then: gatehook plugins enable {plugin}",
)
STORE_UNREADABLE: Final = Code(
    "consent.store-unreadable",
    _ERROR,
    "The record of consents {path} cannot be used: {reason}. No consent holds.",
    "Move it away and enable the plugins again: gatehook plugins enable ID",
)
LOCK_UNREADABLE: Final = Code(
    "lock.unreadable", _ERROR, "The lock {path} cannot be used: {reason}.", "Write it again: gatehook plugins lock"
)
LOCKED_ABSENT: Final = Code(
    "lock.absent", _ERROR, "The lock has {plugin}, which was not found.", "Restore it, or: gatehook plugins lock"
)
BLOCKLIST_UNREADABLE: Final = Code(
    "blocklist.unreadable",
    _ERROR,
    "The block list {path} cannot be used: {reason}. Nothing but built-in plugins runs.",
    "Correct the file, or remove plugins.blocklist.",
)
SAFE_MODE: Final = Code(
    "plugins.safe-mode", _INFO, "Safe mode: only built-in plugins are looked for.", "Run without --no-plugins."
)
DEV: Final = Code(
    "plugins.dev",
    _WARNING,
    "{plugin} runs from {path} without consent, in paper mode (--dev).",
    "Enable it for good: gatehook plugins enable {plugin}",
)

# Activation
ENTRY_DISABLED: Final = Code(
    "entry.disabled",
    _INFO,
    "The entry {entry} is switched off.",
    "Set plugins.entries.{entry}.enabled = true.",
)
ENTRY_UNKNOWN_PLUGIN: Final = Code(
    "entry.unknown-plugin",
    _ERROR,
    "The entry {entry} names the plugin {plugin}, which was not found{hint}.",
    "Correct plugins.entries.{entry}.plugin, add the plugin, or remove the entry.",
)
ENTRY_NOT_ADMITTED: Final = Code(
    "entry.plugin-not-admitted",
    _WARNING,
    "The entry {entry} uses {plugin}, which may not run: {why}",
    "{advice}",
)
UNMET_PLUGIN: Final = Code(
    "entry.requires-plugin",
    _ERROR,
    "The entry {entry} needs the plugin {needed}, which {why}.",
    "Add or admit {needed}.",
)
UNMET_ENTRY: Final = Code(
    "entry.requires-entry",
    _ERROR,
    "The entry {entry} uses {needed} as {kind} ({setting}), which {why}.",
    "Mend {needed}, or name another entry.",
)
UNMET_CYCLE: Final = Code(
    "entry.requires-cycle",
    _ERROR,
    "The entry {entry} uses entries that use it: {cycle}.",
    "Break the circle in the configuration.",
)
ENTRY_ID_TAKEN: Final = Code(
    "entry.id-taken",
    _INFO,
    "{plugin} has no entry of its own: the entry {entry} uses another plugin.",
    'Give it one: [plugins.entries.NAME] with plugin = "{plugin}".',
)

# References to nothing
UNKNOWN_OVERRIDE: Final = Code(
    "plugins.unknown-override",
    _ERROR,
    'plugins.overrides.{plugin} = "{choice}" fits none of {known}.',
    "Name one of these origins, or a plugin's directory.",
)

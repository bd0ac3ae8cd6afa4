"""Entries whose plugin is an MCP server: their session, and their pinned tools."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

TOOLS_PINNED: Final = Code(
    "mcp.tools-pinned",
    Severity.INFO,
    "The {count} tools that the server of {entry} offers are pinned as they are now: this is its first connection.",
    "Nothing is to be done; a server whose tools are others one day is not used until you have seen the difference.",
)
TOOLS_CHANGED: Final = Code(
    "mcp.tools-changed",
    Severity.ERROR,
    "The server of {entry} offers other tools than those that were agreed to: {what}. It is not used.",
    "Run `gatehook plugins enable {plugin}`: it shows the difference; then `gatehook plugins restart {entry}`.",
)
PINS_UNREADABLE: Final = Code(
    "mcp.pins-unreadable",
    Severity.ERROR,
    "The record of the tools of {entry} cannot be used: {reason}. The entry does not run.",
    "Mend the file's permissions, or remove it: the tools are pinned anew at the next start.",
)
NO_SESSION: Final = Code(
    "mcp.no-session",
    Severity.ERROR,
    "The plugin {plugin} asked for context.mcp, and its entry type is {runtime}, which has no MCP session.",
    "Make its entry an external.mcp with an adapter, or do not use context.mcp.",
)
NOT_PASSED: Final = Code(
    "mcp.not-passed",
    Severity.ERROR,
    "The configuration of {entry} cannot be given to its server: {reason}.",
    "Change the value; `gatehook plugins show {plugin}` shows where the plugin sends it.",
)
CHILDREN_SWEPT: Final = Code(
    "mcp.children-swept",
    Severity.WARNING,
    "{count} processes of plugins outlived the gateway before this one, and were ended: {names}.",
    "Nothing is to be done; the gateway was killed, or its machine ran out of something.",
)
AUTH_MISSING: Final = Code(
    "mcp.auth-missing",
    Severity.ERROR,
    "The server of {entry} wants an authorization that it is not given: {reason}.",
    "Mend the token that the plugin's configuration sends, or add [plugins.entries.{entry}.auth] where the server"
    " speaks OAuth; then `gatehook plugins restart {entry}`.",
)
AUTH_REFUSED: Final = Code(
    "mcp.auth-refused",
    Severity.ERROR,
    "The credentials of {entry} are refused: {reason}.",
    "Mend [plugins.entries.{entry}.auth] or what it refers to; then `gatehook plugins restart {entry}`.",
)
AUTHORIZE: Final = Code(
    "mcp.authorize",
    Severity.ERROR,
    "The server of {entry} wants a person to agree in a browser: {reason}.",
    "Run `gatehook plugins authorize {entry}`, then `gatehook plugins restart {entry}`.",
)
NOT_AUTHORIZED: Final = Code(
    "mcp.not-authorized",
    Severity.ERROR,
    "The entry {entry} was not authorized: {reason}. Tokens that it had are kept.",
    "Mend that, then run `gatehook plugins authorize {entry}` again; docs/mcp-plugins.md says what it needs.",
)
SERVER_UNUSABLE: Final = Code(
    "mcp.server-unusable",
    Severity.ERROR,
    "The server of {entry} cannot be used: {reason}.",
    "Mend that, then `gatehook plugins restart {entry}`; trying again by itself would not help.",
)

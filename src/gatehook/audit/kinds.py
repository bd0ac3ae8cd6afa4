"""The kinds of records. Dotted, lower case; what each record's subject holds is in the documentation of the audit."""

from __future__ import annotations

from typing import Final

#: The log was begun; its subject is empty.
OPENED: Final = "audit.opened"
#: A record was being written when its process ended: ``{cut, completed}``.
RECOVERED: Final = "audit.recovered"

#: ``{row, client_order_id, account, digest, permit}``; row is the ``seq`` in the journal.
ORDER_INTENT: Final = "order.intent"
#: ``{command_id, command, account, digest, permit}``.
COMMAND_INTENT: Final = "command.intent"
#: An intent was recorded and then not journaled: ``{row | command_id, digest}``, and ``{record}`` where known.
INTENT_VOID: Final = "intent.void"
ORDER_DENIED: Final = "order.denied"
ORDER_RESOLVED: Final = "order.resolved"
ORDER_ADOPTED: Final = "order.adopted"
POSITION_ADJUSTED: Final = "position.adjusted"
POSITION_ACKNOWLEDGED: Final = "position.acknowledged"

#: ``{approval, command_id, command, digest, account, shown}``.
APPROVAL_REQUESTED: Final = "approval.requested"
#: ``{approval, command_id, digest, answer}``; answer is approved, rejected, expired or withdrawn.
APPROVAL_ANSWERED: Final = "approval.answered"
GRANT_GIVEN: Final = "grant.given"
GRANT_REVOKED: Final = "grant.revoked"

HALTED: Final = "trading.halted"
RESUMED: Final = "trading.resumed"
#: ``{scopes, flatten, include_protective, include_external}``; the cancels and closes follow as intents.
SWEPT: Final = "trading.swept"
LIVE_CONFIRMED: Final = "mode.live-confirmed"

#: ``{plugin, version, digest, asks}``.
PLUGIN_CONSENTED: Final = "plugin.consented"
#: ``{plugin}``.
PLUGIN_CONSENT_REVOKED: Final = "plugin.consent-revoked"
#: ``{path, key, before, after}``; secrets as references, or masked.
CONFIG_CHANGED: Final = "config.changed"
GATEWAY_STARTED: Final = "gateway.started"
GATEWAY_STOPPED: Final = "gateway.stopped"

"""A record of the audit, and how it is a line: canonical JSON, and behind it the seal that depends on all before it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

#: What stands for the record before the first.
GENESIS: Final = "0" * 64
#: A longer line is no record.
LARGEST_LINE: Final = 1 << 20

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_SEAL: Final = len(',"mac":""}\n') + 64
_HEX: Final = frozenset(b"0123456789abcdef")


@attrs.frozen
class Record:
    """What is to be written down: what happened, who did it, and to what (plain JSON values only, no floats)."""

    kind: str
    actor: str
    subject: Mapping[str, Any]


@attrs.frozen
class Entry:
    """A record in the log.

    Attributes:
        seq: its number; the first is 1, and there are no gaps.
        ts: when it was written, wall time in ns UTC.
        prev: the ``mac`` of the record before.
        mac: HMAC-SHA256 of the rest.
    """

    seq: int
    ts: int
    kind: str
    actor: str
    subject: Mapping[str, Any]
    prev: str
    mac: str


class NotARecord(Exception):
    """A line is none of the log's."""


def seal(key: bytes, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the line of these fields, and its mac.

    Raises:
        TypeError, ValueError: for what is no plain JSON.
    """
    text = _ENCODER.encode(fields)
    mac = mac_of(key, text.encode())
    return f'{text[:-1]},"mac":"{mac}"}}\n'.encode(), mac


def mac_of(key: bytes, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body, in hex."""
    return hmac.digest(key, body, "sha256").hex()


def unseal(line: bytes) -> tuple[bytes, str]:
    """Split a line into the body that was sealed and the mac it claims.

    Raises:
        NotARecord: when the line is not made like that.
    """
    body, end = line[:-_SEAL] + b"}", line[-_SEAL:]
    if not (end.startswith(b',"mac":"') and end.endswith(b'"}\n') and _HEX.issuperset(end[8:72])):
        raise NotARecord
    return body, end[8:72].decode()


def is_sealed(key: bytes, line: bytes) -> bool:
    """Say whether a line is exactly as it was sealed with this key."""
    try:
        body, mac = unseal(line)
    except NotARecord:
        return False
    return hmac.compare_digest(mac, mac_of(key, body))


def fields_of(line: bytes) -> Mapping[str, Any]:
    """Return the fields of a line, its mac too, whether it is authentic or not.

    Raises:
        NotARecord: when it is no sealed line.
    """
    _, mac = unseal(line)
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise NotARecord from None
    if not isinstance(fields, dict) or fields.get("mac") != mac:
        raise NotARecord
    return fields


def entry_of(line: bytes) -> Entry:
    """Return the entry of a line, whether it is authentic or not.

    Raises:
        NotARecord: when it is none.
    """
    fields = fields_of(line)
    if fields.keys() != _TYPES.keys() or not all(type(fields[name]) is kind for name, kind in _TYPES.items()):
        raise NotARecord
    return Entry(**fields)


_TYPES: Final = {"seq": int, "ts": int, "kind": str, "actor": str, "subject": dict, "prev": str, "mac": str}


def redacted(record: Record, redact: Callable[[str], str]) -> Record:
    """Return the record with every text of it redacted; the names of the subject's fields are ours, and stay."""
    everything = _ENCODER.encode([record.kind, record.actor, record.subject])
    if redact(everything) == everything:  # as JSON writes it, a secret is found too; nearly always there is none
        return record
    subject = {name: _redacted(value, redact) for name, value in record.subject.items()}
    return Record(record.kind, redact(record.actor), subject)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(name): _redacted(member, redact) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(member, redact) for member in value]
    return value

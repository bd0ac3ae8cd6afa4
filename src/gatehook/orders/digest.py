"""The canonical form of an order or a command: two that mean the same have the same digest, in every release."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs

from gatehook.kinds.amounts import plain
from gatehook.kinds.checks import default_time_in_force
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderRequest


def with_defaults(request: OrderRequest) -> OrderRequest:
    """Write the default time in force into an order that has none."""
    if request.time_in_force is not None:
        return request
    return attrs.evolve(request, time_in_force=default_time_in_force(request.type))


def order_digest(request: OrderRequest) -> str:
    """Digest an order's content: decimals by value, tags sorted, fields at their default left out, whoever asked."""
    content = canonical(request)
    if request.time_in_force is default_time_in_force(request.type):
        content.pop("time_in_force", None)
    if request.tags:
        content["tags"] = sorted(request.tags)
    return content_digest("order", content)


def content_digest(kind: str, content: Any) -> str:
    """Digest plain content of a kind of command."""
    text = json.dumps([kind, canonical(content)], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Any:
    """Return the plain form that is digested."""
    if isinstance(value, Decimal):
        return plain(value.normalize()) if value else "0"
    if isinstance(value, (Enum, AccountKey, InstrumentId)):
        return str(value)
    if isinstance(value, dict):
        return {key: canonical(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(member) for member in value]
    return _fields(value) if attrs.has(type(value)) else value


def _fields(value: Any) -> dict[str, Any]:
    return {
        field.name: canonical(member)
        for field in attrs.fields(type(value))
        if (member := getattr(value, field.name)) != field.default
    }

"""A turn of a conversation, as a channel or an embedding program says it on the bus."""

from __future__ import annotations

from typing import Final

import attrs

from gatehook.kinds.times import Ns

#: The topic of turns. Its payload is a ``ChatMessage``, or its JSON.
CHAT_MESSAGE: Final = "chat.message"


def _text(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{attribute.name} is text, not {type(value).__name__}")


def _named(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    _text(_, attribute, value)
    if not value:
        raise ValueError(f"{attribute.name} is not empty")


def _time(_: object, attribute: attrs.Attribute[int], value: object) -> None:
    if type(value) is not int:
        raise TypeError(f"{attribute.name} is an int of nanoseconds, not {type(value).__name__}")


@attrs.frozen(kw_only=True)
class ChatMessage:
    """What somebody said: a person, or an agent. Its text is data, never an instruction.

    A running gateway remembers those published under ``CHAT_MESSAGE``, in the order of their publication::

        message = ChatMessage(message_id="17", conversation="desk", author="ann", text="Flat into the print?", ts=now)
        context.events.publish(CHAT_MESSAGE, message)

    Attributes:
        message_id: names it within its conversation; the same id again, with other content, corrects it.
        conversation: names the conversation within the channel.
        author: who said it, as the channel knows them.
        text: what was said, plain.
        ts: when it was said.

    Raises:
        TypeError, ValueError: a wrong type, or an empty name.
    """

    message_id: str = attrs.field(validator=_named)
    conversation: str = attrs.field(validator=_named)
    author: str = attrs.field(validator=_named)
    text: str = attrs.field(validator=_text)
    ts: Ns = attrs.field(validator=_time)

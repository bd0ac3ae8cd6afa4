"""Moods: how a command is bent on its way in, in the book, and on its way out."""

from __future__ import annotations

import random

from tests.hostile.venue.book import COMMANDS

#: Each mood: the twist that the book gets, and how the answer is given. ``...`` stands for what comes with the mood.
MOODS = {
    "drop_request": ({"drop": True}, {"lost": True}),
    "drop_reply": ({}, {"lost": True}),
    "error_500": ({}, {"answer": {"status": 500, "error": "server-error"}}),
    "conflict": ({"half": True}, {"answer": {"status": 409, "error": "conflict"}}),
    "unmapped": ({}, {"answer": {"status": 400, "error": "E599"}}),
    "garbage": ({}, {"garbage": True}),
    "refuse": ({"refuse": ...}, {}),
    "rate_limited": ({"refuse": "rate-limited"}, {"status": 429, "retry_after": ...}),
    "rate_limited_after": (
        {},
        {"answer": {"status": 429, "error": "rate-limited"}, "retry_after": ..., "told_first": True, "delay": ...},
    ),
    "hold": ({}, {"hold": ...}),
    "delay": ({}, {"delay": ...}),
    "told_first": ({}, {"told_first": True, "delay": ...}),
    "restart": ({}, {"lost": True, "restart": True}),
    "partial": ({"fill_part": True}, {}),
    "overfill": ({"overfill": True}, {}),
    "fill_before_cancel": ({"fill_first": True}, {}),
    "lose_fill": ({"lose_fill": True}, {}),
    "lose_news": ({"lose_news": True}, {}),
    "reorder": ({"reorder": True}, {}),
    "duplicate": ({"duplicate": True}, {}),
}
#: What a mood is given when it is not said: a code, and seconds.
GIVEN = {"refuse": "insufficient-funds", "retry_after": 0.2, "hold": 0.05, "delay": 0.05}
#: Chaos unless other rates are given.
RATES = {
    "drop_request": 0.04, "drop_reply": 0.04, "error_500": 0.03, "conflict": 0.03, "unmapped": 0.03, "garbage": 0.02,
    "refuse": 0.03, "delay": 0.05, "told_first": 0.03, "partial": 0.05, "fill_before_cancel": 0.03, "lose_fill": 0.03,
    "lose_news": 0.02, "reorder": 0.05, "duplicate": 0.05,
}  # fmt: skip


class Moods:
    """What is to be done to the next commands."""

    def __init__(self) -> None:
        self._queue: list[dict] = []
        self._random = random.Random(0)
        self._rates: dict[str, float] = {}

    def add(self, mood: str, count: int | None = None, on: list[str] | None = None, **more: object) -> None:
        """Bend the next ``count`` commands, of the kinds in ``on``.

        Raises:
            KeyError: for a mood that there is not.
        """
        twist, reply = MOODS[mood]
        self._queue.append({"count": count, "on": on, "twist": _given(twist, more), "reply": _given(reply, more)})

    def chaos(self, seed: int, rates: dict[str, float] | None = None) -> None:
        """Bend commands at random, each by one mood at most."""
        self._random = random.Random(seed)
        self._rates = {**RATES, **(rates or {})} if rates is None else dict(rates)

    def calm(self) -> None:
        """Bend nothing any more."""
        self._queue.clear()
        self._rates = {}

    def next(self, command: str) -> tuple[dict, dict]:
        """Return the twist and the reply for a command, or for what else happens where a mood names it."""
        is_command = command in COMMANDS
        for one in self._queue:
            if is_command if one["on"] is None else command in one["on"]:
                if one["count"] is not None:
                    one["count"] -= 1
                    if one["count"] <= 0:
                        self._queue.remove(one)
                return one["twist"], one["reply"]
        return self._by_chance() if is_command else ({}, {})

    def _by_chance(self) -> tuple[dict, dict]:
        if not self._rates:
            return {}, {}
        draw = self._random.random()
        for mood, rate in self._rates.items():
            draw -= rate
            if draw < 0:
                twist, reply = MOODS[mood]
                return _given(twist, {}), _given(reply, {})
        return {}, {}


def _given(parts: dict, more: dict) -> dict:
    return {name: (more.get(name, GIVEN[name]) if value is ... else value) for name, value in parts.items()}

"""Embedders that cannot be used, models that are none, and labelled queries to tune by."""

from __future__ import annotations

from gatehook import GatehookError
from gatehook.memory.tuning import read_labelled
from tests.bad_input.table import Table

TABLE = Table()


def labels(what: str, at: str, text: str) -> None:
    async def provoke(world):
        path = world.folder / "labels.jsonl"
        path.write_text(text)
        try:
            read_labelled(path)
        except GatehookError as error:
            return error.diagnostics
        return []

    TABLE.add("memory.labels-invalid", what, at, provoke)


labels("a line that is no JSON", "path line", '{"text": "x", "relevant": ["a"]}\nnonsense\n')
labels("a query without what is right", "path line", '{"text": "x"}\n')
labels("a grade below zero", "path line", '{"text": "x", "relevant": {"a": -1}}\n')

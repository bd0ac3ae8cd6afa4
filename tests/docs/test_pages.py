"""Promises of single pages."""

from __future__ import annotations

import re

from tests.docs.stories import DOCS
from tests.docs.stories import ROOT
from tests.docs.stories import blocks


def test_the_first_plugin_of_the_tutorial_has_at_most_fifteen_lines():
    first = next(one for one in blocks(DOCS / "tutorial.md") if one.file == "wave/plugin.py")
    assert len([line for line in first.text.splitlines() if line.strip()]) <= 15


def test_every_topic_in_the_source_is_on_the_page_of_events():
    page = (DOCS / "events.md").read_text("utf-8")
    topic = re.compile(r'"((?:market\.(?:price|candle|stream|replay)|account|gateway\.(?:plugin|diagnostic))\b[.\w]*)"')
    sources = [path for folder in ("src", "builtin_plugins") for path in (ROOT / folder).rglob("*.py")]
    written = {found for path in sources for found in topic.findall(path.read_text("utf-8"))} - {"account", "account."}
    assert "market.candle.closed" in written
    assert {one for one in written if "." in one and f"`{one}" not in page} == set()


def test_every_file_of_the_data_directory_is_on_the_page_of_operating():
    page = (DOCS / "operating.md").read_text("utf-8")
    sources = [path for folder in ("src", "builtin_plugins") for path in (ROOT / folder).rglob("*.py")]
    files = {
        name
        for path in sources
        for name in re.findall(r'"(\w+\.(?:sqlite|sock|log)|consent\.json|remembered\.json)"', path.read_text("utf-8"))
    }
    assert {name for name in files if name not in page} == set()


def test_decisions_are_short_and_say_why():
    decisions = sorted((DOCS / "decisions").glob("0*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text("utf-8")
        assert "**Because**" in text, path.name
        assert len(text.splitlines()) <= 22, path.name

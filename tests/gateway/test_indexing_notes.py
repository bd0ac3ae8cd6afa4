"""What notes say of themselves, through a gateway: tags, a date, a title; and since when a file can have been known."""

from __future__ import annotations

import os
import time

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import DAY
from gatehook.kinds.times import from_rfc3339

pytestmark = pytest.mark.anyio

OLD = 1_700_000_000
MAY = from_rfc3339("2024-05-01T00:00:00Z")
NOTE = """---
title: "Ether: the plan"
aliases: [merge trade]
tags:
  - ETH
  - swing/long
date: 2024-05-01
mood: {calm: 1}
---
# Entry

above the range

# Exit

below the swing low
"""


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def config(notes):
    folder = {"path": str(notes), "tags": ["handwritten"]}
    return {"memory": {"follow_every": 1000, "folders": [folder]}, "plugins": {"slots": {"memory": "sqlite_fts"}}}


def write(path, text, when=OLD):
    path.write_text(text)
    os.utime(path, (when, when))


async def index(running):
    client = Client(running.host.config.gateway.data_dir)

    def ask():
        *_, last = client.stream("memory.index", {"paths": []})
        (report,) = last["result"]["folders"]
        return report

    with anyio.fail_after(60):
        return await anyio.to_thread.run_sync(ask)


async def there(running, text="", **more):
    only = more.pop("filter", Eq("meta.source", "files"))
    query = Query(text=text, namespaces=(NamespaceSelector.everything(),), filter=only, timeout=60.0, **more)
    return [hit.stored.doc for hit in (await running.host.memory().search(query)).hits]


async def test_front_matter_becomes_tags_a_time_and_a_title_and_what_is_not_read_stays_text(gateway, config, notes):
    write(notes / "eth.md", NOTE)
    async with gateway(config) as running:
        assert (await index(running))["skipped"] == []
        (leaves,) = await there(running, "below")
        (entry,) = await there(running, "ether plan")
        assert await there(running, "merge trade") == await there(running, "calm") == [entry]
        assert leaves.tags == entry.tags == {"ETH", "swing/long", "handwritten"}
        assert await there(running, "below", filter=Eq("tags", "swing/long")) == [leaves]
        assert leaves.ts == entry.ts == MAY
        assert dict(leaves.meta) == {
            "source": "files",
            "path": "eth.md",
            "title": "Ether: the plan",
            "aliases": ("merge trade",),
            "date": "2024-05-01",
            "heading": "Exit",
            "first_line": 14,
            "last_line": 16,
        }
        assert (entry.meta["first_line"], entry.text) == (2, "Ether: the plan\nmerge trade\n\n\n\n\nmood: {calm: 1}\n")
        lines = NOTE.splitlines()
        for one in await there(running):
            first, last = one.meta["first_line"], one.meta["last_line"]
            assert one.text.splitlines()[-1].strip() in "\n".join(lines[first - 1 : last])


@pytest.mark.parametrize(
    "front",
    ["tags: [a, [b]]", "date: tomorrow", "title: |\n  two\n  lines", "- - -", ": :", "tags: {", "a" * 5000],
)
async def test_bad_front_matter_loses_nothing(gateway, config, notes, front):
    write(notes / "a.md", f"---\n{front}\n---\nthe body\n")
    async with gateway(config) as running:
        assert (await index(running))["skipped"] == []
        assert min(one.meta["first_line"] for one in await there(running)) == 2
        assert await there(running, "body")
        texts = [one.text for one in sorted(await there(running), key=lambda one: one.id)]
        assert "".join(texts).replace("\n", "").startswith(front.replace("\n", ""))


async def test_a_date_that_changes_or_goes_changes_the_time(gateway, config, notes):
    path = notes / "a.md"
    write(path, "---\ndate: 2024-05-01\n---\nthe body\n")
    async with gateway(config) as running:
        await index(running)
        (first,) = await there(running)
        assert first.ts == MAY
        write(path, "---\ndate: 2024-05-02\n---\nthe body\n", OLD + 60)
        assert (await index(running))["changed"] == ["a.md"]
        (second,) = await there(running)
        assert (second.ts, second.available_at) == (MAY + DAY, first.available_at)
        write(path, "the body\n", OLD + 120)
        await index(running)
        (third,) = await there(running)
        assert (third.ts, third.available_at) == ((OLD + 120) * 10**9, first.available_at)
        assert "date" not in third.meta


async def test_a_note_is_not_known_before_its_file_was_there(gateway, config, notes):
    begun = time.time_ns()
    write(notes / "copied.md", "copied with the time of the original")
    write(notes / "dated.md", "---\ndate: 2024-05-01\n---\ndated")
    write(notes / "ahead.md", "---\ndate: 2100-01-01\n---\nahead")
    write(notes / "wrong.md", "by a clock that is ahead", time.time() + 10_000)
    async with gateway(config) as running:
        await index(running)
        found = {one.meta["path"]: one for one in await there(running)}
        indexed = time.time_ns()
        assert {name: one.ts for name, one in found.items() if name != "wrong.md"} == {
            "copied.md": OLD * 10**9,
            "dated.md": MAY,
            "ahead.md": from_rfc3339("2100-01-01T00:00:00Z"),
        }
        for name in ("copied.md", "dated.md", "wrong.md"):
            # The system's time of a change is that of its last tick.
            assert begun - 10**8 <= found[name].available_at <= indexed, name
            assert found[name].ts <= found[name].available_at
        assert found["ahead.md"].available_at == found["ahead.md"].ts
        assert await there(running, as_of=begun - 10**8) == []
        assert {one.meta["path"] for one in await there(running, as_of=indexed)} == {
            "copied.md",
            "dated.md",
            "wrong.md",
        }


async def test_a_text_that_was_known_stays_known_and_one_put_in_its_place_is_not(gateway, config, notes):
    path = notes / "a.md"
    write(path, "# One\n\nfirst\n\n# Two\n\nsecond\n")
    async with gateway(config) as running:
        await index(running)
        known = {one.text: one.available_at for one in await there(running)}
        between = time.time_ns()
        write(path, "# One\n\nfirst\n\n# Two\n\nforged\n", OLD - 60)
        await index(running)
        after = {one.text: one.available_at for one in await there(running)}
        assert after["# One\n\nfirst\n"] == known["# One\n\nfirst\n"]
        assert after["# Two\n\nforged"] >= between - 10**8
        assert [one.text for one in await there(running, "forged", as_of=between - 10**8)] == []

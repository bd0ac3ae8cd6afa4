"""Folders in the memory: what is there is found with its place, what changed is written, what is gone goes."""

from __future__ import annotations

import os
import sqlite3

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.gateway.indexing.state import STATE_FILE
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.recalled import mark_recalled
from gatehook.secrets import Secret

pytestmark = pytest.mark.anyio

OLD = 1_700_000_000


def write(path, text, when=OLD):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    os.utime(path, (when, when))


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def config(*folders, slot="sqlite_fts", **memory):
    memory = {
        "follow_every": 1000,
        **memory,
        "folders": [{"path": str(one)} if not isinstance(one, dict) else one for one in folders],
    }
    return {"memory": memory, "plugins": {"slots": {"memory": slot}}}


async def index(running, *paths):
    client = Client(running.host.config.gateway.data_dir)

    def ask():
        *_, last = client.stream("memory.index", {"paths": [str(path) for path in paths]})
        return last["result"]["folders"]

    with anyio.fail_after(30):
        return await anyio.to_thread.run_sync(ask)


async def there(running, text="", **more):
    query = Query(
        text=text, namespaces=(NamespaceSelector.everything(),), limit=1000, filter=Eq("meta.source", "files")
    )
    page = await running.host.memory().search(query)
    return {hit.stored.doc.id: hit.stored for hit in page.hits}


async def paths(running, text=""):
    return sorted({one.doc.meta["path"] for one in (await there(running, text)).values()})


async def test_a_file_is_found_by_its_words_and_cited_by_its_lines(gateway, notes):
    write(notes / "plan" / "eth.md", "# Plan\n\nintro\n\n## Stops\n\nbelow the swing low\n")
    folder = {"path": str(notes), "namespace": "desk/notes", "kind": "rule", "tags": ["plan"]}
    async with gateway(config(folder)) as running:
        (report,) = await index(running)
        assert report["folder"] == str(notes)
        ((_, found),) = (await there(running, "swing")).items()
        assert found.doc.namespace == ("desk", "notes")
        assert (found.doc.kind, found.doc.tags, found.doc.ts) == ("rule", {"plan"}, OLD * 10**9)
        assert dict(found.doc.meta) == {
            "source": "files",
            "path": "plan/eth.md",
            "heading": "Plan > Stops",
            "first_line": 5,
            "last_line": 7,
        }


async def test_only_what_changed_is_written_and_what_stayed_is_no_newer(gateway, notes):
    write(notes / "a.md", "# One\n\nfirst\n\n# Two\n\nsecond\n")
    write(notes / "b.md", "other\n")
    async with gateway(config(notes)) as running:
        await index(running)
        before = await there(running)
        write(notes / "a.md", "# One\n\nfirst\n\n# Two\n\nsecond and more\n", OLD + 60)
        (report,) = await index(running)
        assert (report["changed"], report["added"], report["removed"]) == (["a.md"], [], [])
        after = await there(running)
        changed = {one for one in after if after[one] != before[one]}
        assert [after[one].doc.text for one in changed] == ["# Two\n\nsecond and more"]
        assert [after[one].doc.ts for one in changed] == [(OLD + 60) * 10**9]


async def test_touching_a_file_writes_nothing(gateway, notes):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes)) as running:
        await index(running)
        before = await there(running)
        write(notes / "a.md", "text\n", OLD + 60)
        (report,) = await index(running)
        assert (report["changed"], report["documents"]) == ([], 0)
        assert await there(running) == before


async def test_sections_and_files_that_go_are_gone(gateway, notes):
    write(notes / "a.md", "# One\n\nfirst\n\n# Two\n\nsecond\n")
    write(notes / "b.md", "other\n")
    async with gateway(config(notes)) as running:
        await index(running)
        write(notes / "a.md", "# One\n\nfirst\n", OLD + 60)
        (notes / "b.md").unlink()
        (report,) = await index(running)
        assert report["removed"] == ["b.md"]
        assert [one.doc.text for one in (await there(running)).values()] == ["# One\n\nfirst"]


async def test_a_renamed_file_keeps_its_time(gateway, notes):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes)) as running:
        await index(running)
        (notes / "a.md").rename(notes / "b.md")
        os.utime(notes / "b.md", (OLD + 99, OLD + 99))
        (report,) = await index(running)
        assert (report["added"], report["removed"]) == (["b.md"], ["a.md"])
        ((_, found),) = (await there(running)).items()
        assert (found.doc.meta["path"], found.doc.ts) == ("b.md", OLD * 10**9)


async def test_changes_are_followed(gateway, notes):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes, follow_every=0.01)) as running:
        with anyio.fail_after(20):
            while await paths(running) != ["a.md"]:  # noqa: ASYNC110  nobody is told when a folder was looked at
                await anyio.sleep(0.01)
            write(notes / "b.md", "more\n")
            (notes / "a.md").unlink()
            while await paths(running) != ["b.md"]:  # noqa: ASYNC110  nobody is told when a folder was looked at
                await anyio.sleep(0.01)


async def test_a_folder_that_is_not_there_takes_nothing_away(gateway, notes, tmp_path):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes)) as running:
        await index(running)
        notes.rename(tmp_path / "away")
        (report,) = await index(running)
        assert report["unreachable"]
        assert await paths(running) == ["a.md"]
        assert "documents.folder-unreachable" in {one.code for one in running.host.diagnostics}
        (tmp_path / "away").rename(notes)
        (report,) = await index(running)
        assert (report["unreachable"], report["added"], report["changed"]) == ("", [], [])


async def test_a_disk_that_is_not_mounted_takes_nothing_away(gateway, notes, tmp_path):
    """What is left of an unmounted disk is an empty directory on another device."""
    write(notes / "a.md", "text\n")
    async with gateway(config(notes)) as running:
        await index(running)
        (notes / "a.md").unlink()
        with sqlite3.connect(tmp_path / "data" / STATE_FILE) as state:
            state.execute("UPDATE files SET device = device + 1")
        state.close()
        (report,) = await index(running)
        assert "another disk" in report["unreachable"]
        assert await paths(running) == ["a.md"]
        write(notes / "a.md", "text\n")
        assert (await index(running))[0]["unreachable"] == ""


async def test_the_last_file_of_a_folder_may_go(gateway, notes):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes)) as running:
        await index(running)
        (notes / "a.md").unlink()
        (report,) = await index(running)
        assert (report["removed"], report["unreachable"]) == (["a.md"], "")
        assert not await there(running)


async def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(gateway, notes):
    write(notes / "a.md", b"caf\xe9")
    write(notes / "b.md", b"PK\0\0")
    write(notes / "c.md", "x" * 2000)
    write(notes / "d.md", "fine\n")
    async with gateway(config(notes, max_file_bytes=1000)) as running:
        await index(running)
        assert await paths(running) == ["d.md"]
        skipped = [one.message for one in running.host.diagnostics if one.code == "documents.file-skipped"]
        assert len(skipped) == 3
        write(notes / "a.md", "café", OLD + 60)
        await index(running)
        assert await paths(running) == ["a.md", "d.md"]


async def test_a_file_that_is_no_text_any_more_is_gone(gateway, notes):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes)) as running:
        await index(running)
        write(notes / "a.md", b"\xff\xfe\xfd", OLD + 60)
        (report,) = await index(running)
        assert [one["path"] for one in report["skipped"]] == ["a.md"]
        assert not await there(running)


async def test_known_secrets_do_not_get_in(gateway, notes):
    write(notes / "a.md", "# Login\n\nthe token is hunter2hunter2 they say\n")
    write(notes / "b.md", "key:\nhunter3\nhunter3\n")
    async with gateway(config(notes, follow_every=1000)) as running:
        running.host.redactor.add(Secret("hunter2hunter2"))
        running.host.redactor.add(Secret("hunter3\nhunter3"))
        for name in ("a.md", "b.md"):
            with (notes / name).open("a") as file:
                file.write("\nmore\n")
        await index(running)
        texts = [one.doc.text for one in (await there(running)).values()]
        assert [text for text in texts if "hunter" in text] == []
        assert any("the token is ******** they say" in text for text in texts)


async def test_recalled_text_is_not_indexed_again(gateway, notes):
    write(notes / "a.md", "# A\n\noriginal words\n")
    async with gateway(config(notes)) as running:
        await index(running)
        query = Query(text="original", namespaces=(NamespaceSelector.everything(),))
        (hit,) = (await running.host.memory().search(query)).hits
        write(notes / "b.md", f"# B\n\n{mark_recalled(hit)}\nmy comment\n")
        await index(running)
        assert await paths(running, "original") == ["a.md"]
        ((_, mine),) = (await there(running, "comment")).items()
        assert (mine.doc.meta["first_line"], mine.doc.meta["last_line"]) == (1, 9)


async def test_no_more_files_than_allowed(gateway, notes):
    for n in range(6):
        write(notes / f"{n}.md", "text\n")
    async with gateway(config(notes, max_files=4)) as running:
        await index(running)
        assert await paths(running) == ["0.md", "1.md", "2.md", "3.md"]
        assert "documents.too-many-files" in {one.code for one in running.host.diagnostics}


async def test_what_happened_while_the_slot_was_empty_is_indexed_when_it_is_filled(gateway, notes):
    write(notes / "a.md", "text\n")
    async with gateway(config(notes, slot="none")) as running:
        with pytest.raises(RemoteFailure, match=r"no-entry"):
            await index(running)
        await running.host.use_slot("memory", "sqlite_fts")
        await index(running)
        assert await paths(running) == ["a.md"]


@pytest.mark.parametrize("damage", ["remove", "garbage"])
async def test_a_lost_state_leaves_nothing_behind(gateway, notes, tmp_path, damage):
    write(notes / "a.md", "text\n")
    write(notes / "b.md", "# One\n\nfirst\n\n# Two\n\nsecond\n")
    async with gateway(config(notes)) as running:
        await index(running)
        before = await there(running)
    (notes / "a.md").unlink()
    for suffix in ("-wal", "-shm"):
        (tmp_path / "data" / f"{STATE_FILE}{suffix}").unlink(missing_ok=True)
    (tmp_path / "data" / STATE_FILE).unlink()
    if damage == "garbage":
        (tmp_path / "data" / STATE_FILE).write_bytes(b"no database at all" * 100)
    async with gateway(config(notes)) as running:
        await index(running)
        after = await there(running)
        assert after == {one: stored for one, stored in before.items() if stored.doc.meta["path"] == "b.md"}


async def test_only_what_is_below_a_path(gateway, notes):
    async with gateway(config(notes)) as running:
        await index(running)
        write(notes / "a.md", "text\n")
        write(notes / "sub" / "b.md", "text\n")
        (report,) = await index(running, notes / "sub")
        assert report["added"] == ["sub/b.md"]
        (report,) = await index(running, notes / "a.md")
        assert report["added"] == ["a.md"]
        with pytest.raises(RemoteFailure, match=r"no-such-folder"):
            await index(running, notes.parent)


async def test_without_a_folder_there_is_nothing_to_index(gateway):
    async with gateway(config()) as running:
        with pytest.raises(RemoteFailure, match=r"no-folder"):
            await index(running)


async def test_a_note_is_freed_of_what_was_recalled(gateway, notes):
    write(notes / "a.md", "original words\n")
    async with gateway(config(notes)) as running:
        await index(running)
        query = Query(text="original", namespaces=(NamespaceSelector.everything(),))
        (hit,) = (await running.host.memory().search(query)).hits
        client = Client(running.host.config.gateway.data_dir)
        params = {"text": f"my view\n{mark_recalled(hit)}"}
        added = await anyio.to_thread.run_sync(lambda: client.call("memory.add", params))
        (note,) = await running.host.memory().get(("notes",), [added["id"]])
        assert note.doc.text == "my view"
        with pytest.raises(RemoteFailure, match="only what was recalled"):
            await anyio.to_thread.run_sync(lambda: client.call("memory.add", {"text": mark_recalled(hit)}))

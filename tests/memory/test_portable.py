"""Export and import: what a file says, what comes in, and which lines do not."""

from __future__ import annotations

import json

import attrs
import pytest

from gatehook.diagnostics import GatehookError
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import StoredDoc
from gatehook.memory.portable import ImportReport
from gatehook.memory.portable import export_lines
from gatehook.memory.portable import import_file
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.testing.memory_statements import doc
from gatehook.testing.memory_statements import find
from gatehook.testing.memory_statements import ids
from tests.memory.dict_backend.plugin import DictMemory

pytestmark = pytest.mark.anyio

RICH = doc(
    "rich/1",
    'lines\nand "quotes", \u2028 成語, \0 and é',
    namespace=("a.b", "c"),
    ts=1_700_000_000_123_456_789,
    kind="chat",
    tags={"b", "a"},
    meta={"n": 1, "f": 1.0, "t": True, "none": None, "l": (1, "x", None), "ключ": "é"},
    prev_id="rich/0",
    expires_at=1_900_000_000_000_000_000,
)


async def exported(memory, **options):
    return "".join([f"{line}\n" async for line in export_lines(memory, **options)])


async def imported(memory, path, **options):
    steps = [step async for step in import_file(memory, path, **options)]
    assert [step.done for step in steps[:-1]]
    (report,) = [step for step in steps if isinstance(step, ImportReport)]
    return report


@pytest.fixture
def file(tmp_path):
    return tmp_path / "memory.jsonl"


@pytest.fixture
async def other(tmp_path, clock):
    async with SqliteMemory(tmp_path / "other.sqlite", clock) as memory:
        yield memory


async def test_export_import_export_is_equal_byte_for_byte(memory, other, file, clock):
    await memory.upsert([RICH, *(doc(f"d{n}", f"text {n}", namespace=(f"n{n % 3}",)) for n in range(450))])
    clock.time += 7
    await memory.upsert([doc("d3", "another text", namespace=("n0",))])
    first = await exported(memory)
    file.write_text(first, "utf-8")
    clock.time += 7
    report = await imported(other, file)
    assert (report.inserted, report.bad) == (451, 0)
    assert await exported(other) == first
    async with DictMemory(clock) as third:
        await imported(third, file)
        assert await exported(third) == first


async def test_a_second_import_changes_nothing(memory, file, clock):
    await memory.upsert([RICH, doc("a")])
    file.write_text(await exported(memory), "utf-8")
    before = await memory.get(RICH.namespace, [RICH.id])
    clock.time += 5
    report = await imported(memory, file)
    assert (report.unchanged, report.updated, report.inserted) == (2, 0, 0)
    assert await memory.get(RICH.namespace, [RICH.id]) == before


async def test_a_correction_is_not_known_earlier_after_a_move(memory, other, file, clock):
    clock.time = 100
    await memory.upsert([doc("a", "call one", ts=10)])
    (stored,) = await memory.get(("suite",), ["a"])
    clock.time = 200
    await memory.upsert([attrs.evolve(stored.doc, text="call two")])
    file.write_text(await exported(memory), "utf-8")
    await imported(other, file)
    assert ids(await find(other, "two", as_of=150)) == []
    assert ids(await find(other, "two", as_of=200)) == ["a"]
    assert await exported(other) == await exported(memory)


async def test_what_a_memory_assigned_is_written_where_it_is_asked_for_and_never_read(memory, other, file, clock):
    await memory.upsert([doc("a")])
    clock.time += 5
    await memory.upsert([doc("a", "changed")])
    file.write_text(await exported(memory, assigned=True), "utf-8")
    line = json.loads(file.read_text().splitlines()[1])
    assert line["assigned"]["revision"] == 2
    assert (await imported(other, file)).inserted == 1
    (stored,) = await other.get(("suite",), ["a"])
    assert stored.revision == 1


async def test_a_part_of_the_namespaces(memory):
    await memory.upsert([doc("a", namespace=("x", "y")), doc("b", namespace=("z",))])
    lines = (await exported(memory, selector=NamespaceSelector(namespace=("x",)))).splitlines()
    assert [json.loads(line).get("id") for line in lines] == [None, "a", None]


def line(**fields):
    good = {"namespace": ["n"], "id": "x", "text": "t", "ts": "2026-01-31T09:30:00Z"}
    return json.dumps({name: value for name, value in {**good, **fields}.items() if value is not ...})


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is no JSON object"),
        ('{"id":"a","id":"b"}', "it has 'id' twice"),
        ('{"id":NaN}', "NaN is no JSON number"),
        ("\udcff", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        (line(text=...), "it lacks text"),
        (line(colour="red"), "it has the unknown field colour"),
        (line(id=7), "id: expected text, found 7"),
        (line(id=""), "id is text and not empty, not ''"),
        (line(namespace="n"), 'namespace: expected a list of texts, found "n"'),
        (line(namespace=[]), "namespace: a namespace has at least one segment, and none is empty"),
        (line(namespace=["a", ""]), "namespace: a namespace has at least one segment, and none is empty"),
        (line(ts="yesterday"), "ts: not an RFC 3339 time with an offset: 'yesterday'"),
        (line(ts=1700000000), "ts: expected text, found 1700000000"),
        (line(ts="2026-02-30T00:00:00Z"), "ts: day is out of range for month"),
        (line(available_at="2020-01-01T00:00:00Z"), "available_at is before ts"),
        (line(meta={"a": {"b": 1}}), "meta: 'a' is neither text, a number, a bool, null, nor a list of these"),
        (line(meta=[1]), "meta: expected an object, found [1]"),
        (line(meta={"a": 1 << 70}), "an integer has at most 64 bits"),
        (line(tags="a"), 'tags: expected a list of texts, found "a"'),
        (line(text="\ud800"), "text with a lone surrogate is no text"),
        (line(text="x" * 2_000), "text has 2000 bytes, at most 1000 are taken"),
    ],
)
async def test_a_bad_line_is_named_and_keeps_everything_out_unless_told_otherwise(memory, file, bad, rule):
    text = "\n".join([HEADER, line(id="first"), bad, line(id="second")])
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    report = await imported(memory, file, max_bytes=1_000)
    assert not report.written
    assert [(one.line, one.rule.startswith(rule)) for one in report.lines] == [(3, True), (5, False)], report.lines
    assert all(one.remedy.endswith(".") for one in report.lines)
    assert (await memory.stats()).documents == 0
    report = await imported(memory, file, max_bytes=1_000, keep_going=True)
    assert (report.inserted, report.bad, report.written) == (2, 2, True)


HEADER = '{"gatehook":"memory","schemaVersion":1}'


async def test_a_file_that_was_cut_or_changed_is_known_by_its_last_line(memory, other, file):
    await memory.upsert([doc("a", "one"), doc("b", "two")])
    lines = (await exported(memory)).splitlines()
    for changed, rule in (
        (lines[:-1], "the last line is missing: the file was cut short"),
        ([*lines[:2], lines[-1]], "the export had 2 documents, the file has 1"),
        ([lines[0], lines[1].replace("one", "ONE"), *lines[2:]], "the digest is another: the file was changed"),
        ([*lines, lines[1]], "it comes after the last line"),
    ):
        file.write_text("\n".join(changed) + "\n", "utf-8")
        report = await imported(other, file)
        assert [one.rule for one in report.lines] == [rule]
        assert not report.written


@pytest.mark.parametrize("text", ["", "not json\n", '{"gatehook":"memory","schemaVersion":2}\n', line()])
async def test_a_file_that_is_no_export_is_refused(memory, file, text):
    file.write_text(text)
    with pytest.raises(GatehookError, match=r"memory\.import-file"):
        await imported(memory, file, keep_going=True)


async def test_a_file_that_is_not_there_is_refused(memory, file):
    with pytest.raises(GatehookError, match="No such file"):
        await imported(memory, file)


async def test_what_the_memory_itself_refuses_is_named_by_its_line(memory, file):
    file.write_text("\n".join([HEADER, line(id="small"), line(id="big", text="x" * 1_000_001)]))
    report = await imported(memory, file, keep_going=True)
    assert [(one.line, "1000001 bytes" in one.rule) for one in report.lines] == [(3, True), (4, False)]
    assert report.inserted == 1


async def test_an_overlong_line_is_passed_over_without_being_kept(memory, file, monkeypatch):
    monkeypatch.setattr("gatehook.memory.archive.MAX_LINE", 1_000)
    monkeypatch.setattr("gatehook.memory.lines.MAX_LINE", 1_000)
    file.write_text("\n".join([HEADER, line(text="x" * 5_000), line(id="good"), ""]))
    report = await imported(memory, file, keep_going=True)
    assert report.lines[0].rule == "it is longer than 1000 bytes"
    assert report.inserted == 1


async def test_a_scan_out_of_order_makes_no_export(memory):
    class Unordered(DictMemory):
        async def scan(self, namespace, *, after=None):
            for name in ("b", "a"):
                made = MemoryDoc(id=name, text="t", namespace=("n",), ts=1, available_at=1)
                yield StoredDoc(doc=made, revision=1, created_at=1, ingested_at=1)

    with pytest.raises(ProviderError, match="out of order"):
        await exported(Unordered(None))

"""The memory's commands, with a gateway and without one: the same words, the same answers."""

from __future__ import annotations

import json

import pytest

TWO = """
[plugins.entries.sqlite_fts]
plugin = "sqlite_fts"

[plugins.entries.second]
plugin = "sqlite_fts"
config = {{ path = "{path}" }}
"""


@pytest.fixture(params=["alone", "running"])
def memory(request, gatehook, run):
    """The `memory` commands of a gateway with two memories."""
    gatehook.config.write_text(TWO.format(path=gatehook.home / "second.sqlite"))
    if request.param == "running":
        run()

    def command(*words, stdin=None):
        return gatehook("memory", *words, stdin=stdin)

    command.line = gatehook
    return command


def add(memory, *texts, **options):
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [memory("add", text, *words).out.strip() for text in texts]


def test_search_pages_explains_and_filters(memory):
    first, second = add(memory, "gold stop moved up", "gold stop moved down", symbol="XAUUSD")
    add(memory, "silver", symbol="XAGUSD")
    page = memory("search", "gold", "stop", "--limit", "1", "--explain", "--json").json
    assert page["hits"][0]["parts"]["lexical"] == page["hits"][0]["score"]
    following = memory("search", "gold", "stop", "--limit", "1", "--cursor", page["cursor"], "--json").json
    assert {page["hits"][0]["id"], following["hits"][0]["id"]} == {first, second}
    assert memory("search", "gold", "stop", "--limit", "1", "--page", "2", "--json").json["hits"] == following["hits"]
    assert memory("search", "gold", "stop", "--limit", "1", "--page", "9", "--json").json["hits"] == []
    assert len(memory("search", "--symbol", "XAGUSD", "--json").json["hits"]) == 1
    shown = memory("search", "gold", "--limit", "1", "--explain")
    assert "recency 1" in shown.out
    assert "There is more: --cursor" in shown.err


def test_what_was_not_known_yet_is_not_found(memory):
    add(memory, "known today")
    assert memory("search", "known", "--as-of", "2020-01-01T00:00:00Z", "--json").json["hits"] == []
    assert len(memory("search", "known", "--as-of", "2100-01-01T00:00:00Z", "--half-life", "7d", "--json").json["hits"])


WRONG = (
    (["--as-of", "yesterday"], "as_of: not an RFC 3339 time"),
    (["--half-life", "7"], "half_life: '7' is no length of time"),
    (["--half-life", "0d"], "half_life: '0d' is no length of time"),
    (["--cursor", "nonsense"], "no cursor of this query"),
    (["--mode", "vector"], "supportsVectors"),
)


def test_what_cannot_be_meant_is_refused(memory):
    for words, why in WRONG:
        answer = memory("search", "x", *words)
        assert answer.code == 1
        assert why in answer.err


def test_explain_says_why_and_why_not(memory):
    (gold,) = add(memory, "gold stop moved", symbol="XAUUSD")
    add(memory, "gold gold gold", "copper", "tin", "lead")
    told = memory("explain", gold, "gold", "stops", "--json").json
    assert (told["rank"], told["words"]) == (1, {"gold": True, "stops": True})
    assert told["parts"]["recency"] == 1
    assert "rank 2, score" in memory("explain", gold, "gold").out
    assert "because it has none of the words" in memory("explain", gold, "platinum").out
    assert "because the filter does not let it pass" in memory("explain", gold, "gold", "--symbol", "BTC").out
    assert "because its namespace notes is not searched" in memory("explain", gold, "gold", "--namespace", "x").out
    early = memory("explain", gold, "gold", "--as-of", "2020-01-01T00:00:00Z").out
    assert "because this revision was not known before" in early
    assert memory("explain", gold, "gold", "--limit", "1", "--json").json["rank"] == 2


def test_forget_shows_asks_and_leaves_nothing(memory):
    (gone,) = add(memory, "hush-hush-77")
    assert "hush-hush-77" in memory("forget", gone, "--dry-run").out
    assert memory("forget", gone).code == 3
    assert memory("forget", gone, "--yes", "--json").json["forgotten"] == 1
    assert memory("search", "hush", "--json").json["hits"] == []
    files = [file for file in memory.line.data_dir.rglob("*") if file.is_file()]
    assert not [file for file in files if b"hush-hush-77" in file.read_bytes()]


def test_an_id_that_two_namespaces_have_wants_one_named(memory, tmp_path):
    lines = [{"namespace": [space], "id": "twin", "text": space, "ts": "2026-01-01T00:00:00Z"} for space in ("a", "b")]
    imported(memory, tmp_path / "twins.jsonl", *map(json.dumps, lines))
    refused = memory("explain", "twin", "a")
    assert "it is in a, b" in refused.err
    assert memory("explain", "twin", "a", "--of", "a", "--json").json["rank"] == 1
    assert memory("forget", "twin", "--namespace", "b", "--yes", "--json").json["forgotten"] == 1


def test_stats_name_the_entry(memory):
    add(memory, "one")
    assert memory("stats", "--json").json["entry"] == "sqlite_fts"
    assert "sqlite_fts" in memory("stats").out


def imported(memory, path, *lines):
    path.write_text("\n".join(['{"gatehook":"memory","schemaVersion":1}', *lines, ""]), "utf-8")
    return memory("import", path, "--keep-going", "--json").json


def test_export_and_import_again(memory, tmp_path):
    add(memory, "one", "two\x1b[31m")
    file = tmp_path / "out" / "export.jsonl"
    file.parent.mkdir()
    assert memory("export", file, "--json").json["documents"] == 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["export.jsonl"]
    assert memory("export").out == file.read_text("utf-8")
    assert memory("import", file).out == "0 new, 0 changed, 2 as they were\n"
    assert '"revision":1' in memory("export", "--assigned", "--namespace", "notes").out


def test_a_bad_line_is_named_and_the_rest_waits(memory, tmp_path):
    file = tmp_path / "bad.jsonl"
    good = json.dumps({"namespace": ["n"], "id": "a", "text": "kept", "ts": "2026-01-01T00:00:00Z"})
    file.write_text(f'{{"gatehook":"memory","schemaVersion":1}}\n{good}\n{{"id":"\x9bx"}}\n', "utf-8")
    refused = memory("import", file)
    assert refused.code == 1
    assert "line 3: it lacks namespace, text, ts. A document has at least namespace" in refused.err
    assert "Nothing was imported" in refused.err
    went_on = memory("import", file, "--keep-going")
    assert (went_on.code, went_on.out) == (1, "1 new, 0 changed, 0 as they were\n")
    assert memory("import", tmp_path / "gone.jsonl").code == 1


def test_migrate_compares_and_switches(memory):
    add(memory, *(f"note {number} on gold" for number in range(30)))
    moved = memory("migrate", "sqlite_fts", "second", "--json").json
    assert moved["parity"]["holds"]
    assert (moved["parity"]["documents"], moved["inSlot"]) == (30, False)
    assert "the first ten hits of 20 queries agree by 100%" in memory("migrate", "sqlite_fts", "second").out
    used = memory("migrate", "sqlite_fts", "second", "--use")
    assert used.code == 0, used.err
    assert memory.line("slots", "list", "--json").json["slots"][0]["entry"] == "second"
    assert 'memory = "second"' in memory.line.config.read_text()
    assert memory("stats", "--json").json["stats"]["documents"] == 30
    assert not list((memory.line.data_dir / "moves").iterdir())


def test_a_memory_that_there_is_not_is_named(memory):
    refused = memory("migrate", "sqlite_fts", "secnd")
    assert refused.code == 1
    assert '"secnd" is no entry that could fill it' in refused.err


def test_reindex_says_what_it_cannot_or_did(memory):
    answer = memory("reindex", "--part", "lexical", "--json")
    assert answer.code == 0 or "index to build again" in answer.err


def test_tune_needs_a_memory_with_vectors(memory, tmp_path):
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(json.dumps({"text": f"q{n}", "relevant": ["a"]}) + "\n" for n in range(10)))
    assert memory("tune", file).code == 1
    file.write_text("nonsense\n")
    assert "memory.labels-invalid" in memory("tune", file).err

"""``gatehook memory index`` without a gateway: what changed, and secrets of entries that do not run."""

from __future__ import annotations


def test_folders_are_indexed_without_a_gateway(gatehook, monkeypatch):
    notes = gatehook.here / "notes"
    notes.mkdir(parents=True)
    (notes / "a.md").write_text("# Stops\n\nbelow the swing low, with hunter2hunter2\n")
    monkeypatch.setenv("DESK_TOKEN", "hunter2hunter2")
    gatehook.config.parent.mkdir(parents=True, exist_ok=True)
    gatehook.config.write_text(
        f'[[memory.folders]]\npath = "{notes}"\n'
        '[plugins.entries.other]\nplugin = "metaapi-mcp"\nenabled = false\n'
        '[plugins.entries.other.config]\ntoken = { env = "DESK_TOKEN" }\n'
    )
    first = gatehook("memory", "index")
    assert first.code == 0, first
    assert "+ a.md" in first.out
    (hit,) = gatehook("memory", "search", "swing", "--json").json["hits"]
    assert "hunter2" not in hit["text"]
    assert hit["meta"]["heading"] == "Stops"
    (notes / "a.md").unlink()
    assert "- a.md" in gatehook("memory", "index", str(notes)).out
    assert gatehook("memory", "index", str(notes.parent)).code != 0

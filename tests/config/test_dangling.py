"""Regression 22: what names nothing is reported."""

from __future__ import annotations

from pathlib import Path

from gatehook.config import config_from
from gatehook.config import dangling_references
from gatehook.config import load_config

KNOWN = ("paper", "sqlite_fts", "metaapi-mcp")


def test_regression_22_a_removed_plugin_leaves_no_reference_unreported(tmp_path: Path) -> None:
    path = tmp_path / "gatehook.toml"
    path.write_text(
        "[plugins]\n"
        'allow = ["paper", "gone"]\n'
        'deny = ["pape"]\n'
        'paths = ["missing"]\n'
        "[plugins.overrides]\n"
        'gone = "user"\n'
        "[plugins.slots]\n"
        'memory = ["sqlite_ft", "none"]\n'
        "[plugins.entries.second]\n"
        'plugin = "gone"\n'
    )
    found = dangling_references(load_config(path, environ={}), KNOWN)
    assert {(one.code, one.line) for one in found} == {
        ("config.dangling-reference", line) for line in (2, 3, 4, 6, 8, 10)
    }
    text = " ".join(one.message for one in found)
    assert 'did you mean "paper"?' in text
    assert 'did you mean "sqlite_fts"?' in text


def test_what_names_something_is_not_reported(tmp_path: Path) -> None:
    config = config_from(
        {
            "plugins": {
                "allow": ["metaapi_mcp"],
                "deny": ["paper"],
                "paths": [tmp_path],
                "slots": {"memory": "notes"},
                "entries": {"notes": {"plugin": "sqlite_fts"}},
            }
        }
    )
    assert dangling_references(config, KNOWN) == ()

"""Every code of this room has an input that gives it."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gatehook.config import EntryConfig
from gatehook.config import check_structure
from gatehook.config import config_from
from gatehook.config import dangling_references
from gatehook.config import edit_config
from gatehook.config import lint_schema
from gatehook.config import load_config
from gatehook.config import plan_edit
from gatehook.config import resolve_entry
from gatehook.config import unmarked_secrets
from gatehook.diagnostics import Code
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import config as config_codes
from gatehook.diagnostics.codes import secrets as secret_codes
from gatehook.secrets import Redactor

Bad = Callable[[Path], Any]


def file(data: bytes) -> Bad:
    def load(directory: Path) -> Any:
        path = directory / "gatehook.toml"
        path.write_bytes(data)
        return load_config(path, environ={})

    return load


def lint(schema: Any) -> Bad:
    return lambda _: lint_schema(schema)


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else []


def check(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Bad:
    return lambda _: check_structure(EntryConfig(entry_id="mine", config=config), schema)


def resolve(config: Mapping[str, Any]) -> Bad:
    mine = EntryConfig(entry_id="mine", config=config)
    schema = {"properties": {"token": {"type": "string"}}}
    return lambda _: resolve_entry(mine, schema, environ={}, redactor=Redactor()).diagnostics


def changed_meanwhile(directory: Path) -> None:
    edit = plan_edit(directory / "gatehook.toml", "gateway.mode", "demo")
    (directory / "gatehook.toml").write_text("")
    edit.write()


INPUTS: Mapping[str, Bad] = {
    "config.unreadable": lambda directory: load_config(directory / "missing.toml", environ={}),
    "config.too-large": file(b"#" * ((1 << 20) + 1)),
    "config.invalid-toml": file(b"a = = 1"),
    "config.unknown-key": file(b"[gatewai]"),
    "config.wrong-type": file(b"[gateway]\nmode = 1"),
    "config.bad-value": file(b"[gateway]\nmode = 'x'"),
    "config.bad-override": lambda directory: load_config(cwd=directory, environ={}, sets=["x"]),
    "config.look-alike": file(b"[plugins.entries.a-b]\n[plugins.entries.a_b]"),
    "config.dangling-reference": lambda _: dangling_references(config_from({"plugins": {"allow": ["x"]}}), ()),
    "config.invalid-entry": check({"a": 1}, {"properties": {"a": {"type": "string"}}}),
    "config.needs-config": check({}, {"required": ["a"]}),
    "config.not-json": check({"a": object()}, {}),
    "config.schema-invalid": lint({"type": "strin"}),
    "config.schema-too-complex": lint({"examples": deep(60)}),
    "config.schema-reference": lint({"$ref": "#/x"}),
    "config.schema-pattern": lint({"pattern": "("}),
    "config.schema-passing": lint({"x-gatehook-env": "NAME"}),
    "config.schema-entry-kind": lint({"x-gatehook-entry": "x"}),
    "config.file-changed": changed_meanwhile,
    "config.not-written": lambda directory: edit_config(
        directory / "gatehook.toml", "plugins.entries.x.config.a", None
    ),
    "secrets.unavailable": resolve({"token": {"env": "NO_SUCH"}}),
    "secrets.too-short": resolve({"token": "abc"}),
    "secrets.in-clear": lambda directory: edit_config(
        directory / "gatehook.toml", "plugins.entries.x.config.token", "abc"
    ),
    "secrets.unmarked": lambda _: unmarked_secrets({"properties": {"token": {}}}),
}


@pytest.mark.parametrize("code", INPUTS)
def test_the_input_gives_the_code(code: str, tmp_path: Path) -> None:
    try:
        found: tuple[Diagnostic, ...] = INPUTS[code](tmp_path)
    except GatehookError as error:
        found = error.diagnostics
    assert [one.code for one in found] == [code]
    assert found[0].message.endswith(".")
    assert found[0].remedy.endswith(".")


def test_every_code_has_an_input() -> None:
    codes = {
        one.id for module in (config_codes, secret_codes) for one in vars(module).values() if isinstance(one, Code)
    }
    assert codes == set(INPUTS)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"a = 1\nb = = 2\n", 2),
        (b"a = 1\nb = [1,\n", 3),
        (b"a = 1\n\xff\n", 2),
        (b"a = 1\r\nb = = 2\r\n", 2),
    ],
)
def test_what_is_not_toml_names_its_line(text: bytes, line: int, tmp_path: Path) -> None:
    with pytest.raises(GatehookError) as caught:
        file(text)(tmp_path)
    assert caught.value.diagnostics[0].line == line


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gatehook.toml")
    for path in (tmp_path, tmp_path / "gatehook.toml"):
        with pytest.raises(GatehookError) as caught:
            load_config(path, environ={})
        assert caught.value.diagnostics[0].code == "config.unreadable"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gateway.data_dir", ""),
        ("market.grace", -1),
        ("supervision.stop_timeout", float("nan")),
        ("supervision.stop_timeout", 10**400),
        ("supervision.quarantine_failures", 0),
        ("plugins.allow", ["A"]),
        ("plugins.trusted_uids", [-1]),
        ("plugins.slots", {"memry": "x"}),
        ("plugins.slots", {"memory": "X Y"}),
        ("plugins.overrides", {"x": ""}),
        ("plugins.entries.x.venue", "a.b"),
        ("plugins.entries.x.url", "ftp://x"),
        ("plugins.entries.x.url", "https://me:pass@host/"),
        ("plugins.entries.x.url", "http://["),
        ("plugins.entries.x.url", "http://h:99999"),
        ("plugins.entries.x.plugin", "../x"),
        ("plugins.entries.Up", {}),
        ("plugins.entries.x", {"plugin": "a" * 65}),
    ],
)
def test_values_out_of_bounds(key: str, value: Any) -> None:
    tree: Any = value
    for part in reversed(key.split(".")):
        tree = {part: tree}
    with pytest.raises(GatehookError) as caught:
        config_from(tree)
    assert [one.code for one in caught.value.diagnostics] == ["config.bad-value"]

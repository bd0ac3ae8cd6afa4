"""Whatever the bytes, variables and arguments: a configuration, or a GatehookError with coded diagnostics."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.config import Config
from gatehook.config import check_structure
from gatehook.config import config_from
from gatehook.config import load_config
from gatehook.config import resolve_entry
from gatehook.config import shown
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.catalogue import catalogue
from gatehook.secrets import Redactor

CODES = frozenset(catalogue())
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextlib.contextmanager
def coded_errors_only() -> Iterator[None]:
    try:
        yield
    except GatehookError as error:
        coded = [one.code in CODES and bool(one.message) and bool(one.to_json()) for one in error.diagnostics]
    else:
        coded = [True]
    assert coded
    assert all(coded)


def use(config: Config) -> None:
    shown(config)
    config.explain("plugins")
    for entry in config.plugins.entries.values():
        check_structure(entry, {"type": "object", "additionalProperties": {"type": "string"}})
        with coded_errors_only():
            resolve_entry(entry, {}, environ={}, redactor=Redactor())


def load(path: Path, data: bytes, environ: dict[str, str], sets: list[str]) -> None:
    path.write_bytes(data)
    with coded_errors_only():
        use(load_config(path, environ=environ, sets=sets, cwd=path.parent))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatehook.toml"


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf[gateway]")
@example(b"a = " + b"[" * 5000)
@example(b"a" + b".a" * 500 + b" = 1")
@example(b"a = " + b"9" * 5000)
@example(b"[gateway]\r\nmode = 1\r\n")
@example(b"d = 9999-99-99\n")
@example(b"[supervision]\nstart_timeout = 1" + b"0" * 400)
@example(b'[gateway]\ndata_dir = "~nobody-of-that-name/x"\n')
@example(b'[plugins]\npaths = ["\\u0000"]\n')
@QUICK
def test_any_bytes(path: Path, data: bytes) -> None:
    load(path, data, {}, [])


WORDS = """
gateway plugins supervision market logging mode data_dir allow paths slots memory entries overrides config plugin
enabled venue url level start_timeout quarantine_failures x mine token trusted_uids
"""
LITERALS = """
1 -1 0 1.5 inf nan true "x" "" "none" "${X}" [] ["a"] [1] [[]] {} {a=1} {env="X"} 2026-01-01 07:00:00 "http://["
"""
NAMES = st.sampled_from(WORDS.split())
SCALARS = st.sampled_from(LITERALS.split())
KEYS = st.lists(NAMES, min_size=1, max_size=5).map(".".join)
LINES = st.lists(st.tuples(KEYS, SCALARS).map(" = ".join) | KEYS.map("[{}]".format), max_size=6).map("\n".join)
ENVIRON = st.dictionaries(
    st.lists(NAMES.map(str.upper) | st.text("A_", max_size=2), max_size=5).map(
        lambda one: "GATEHOOK__" + "__".join(one)
    ),
    SCALARS | st.text(max_size=10),
    max_size=3,
)
SETS = st.lists(st.tuples(KEYS, SCALARS | st.text(max_size=6)).map("=".join) | st.text(max_size=12), max_size=3)


@given(LINES, ENVIRON, SETS)
@example("", {"GATEHOOK__GATEWAY__MODE": "\udcff"}, ["a=\udcff", "=", "a", "a.b=[", "gateway=1", '"=1'])
@example("", {"GATEHOOK__GATEWAY__\udcff": "1", "GATEHOOK__": "1"}, ["gateway.mode=" + "[" * 5000])
@QUICK
def test_any_settings(path: Path, text: str, environ: dict[str, str], sets: list[str]) -> None:
    load(path, text.encode(), environ, sets)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=2),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.integers(), inner, max_size=4),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
@QUICK
def test_any_mapping(mapping: dict[str, Any]) -> None:
    with coded_errors_only():
        use(config_from(mapping))


def test_a_mapping_inside_itself_is_refused() -> None:
    mapping: dict[str, Any] = {"plugins": {}}
    mapping["plugins"]["again"] = mapping
    with pytest.raises(GatehookError):
        config_from(mapping)

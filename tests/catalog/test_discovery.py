"""From directories to candidates: origins, links, owners, modes, and what must not block."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest

from gatehook.catalog import Candidate
from gatehook.catalog import CandidateState
from gatehook.catalog import Origin
from gatehook.catalog import Places
from gatehook.catalog import builtin_directory
from gatehook.catalog import discover
from gatehook.catalog.discovery import survey

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def workspace(path: Path) -> tuple[Candidate, ...]:
    return discover(Places(workspace=path))


def only(path: Path) -> Candidate:
    (found,) = workspace(path)
    return found


def codes(candidate: Candidate) -> list[str]:
    return [one.code for one in candidate.diagnostics]


def test_every_directory_origin_in_its_order(tmp_path, make_plugin):
    for name in ("builtin", "workspace", "user", "config"):
        make_plugin(tmp_path / name / "one", f"from-{name}")
    make_plugin(tmp_path / "single", "single")
    places = Places(
        user=tmp_path / "user",
        builtin=tmp_path / "builtin",
        workspace=tmp_path / "workspace",
        config=(tmp_path / "config", tmp_path / "single"),
    )
    found = discover(
        places, embedded=[({"id": "emb", "name": "E", "version": "1", "kinds": ["feed.external"]}, object())]
    )
    assert [(one.id, one.origin) for one in found] == [
        ("emb", Origin.EMBEDDED),
        ("from-builtin", Origin.BUILTIN),
        ("from-workspace", Origin.WORKSPACE),
        ("from-user", Origin.USER),
        ("from-config", Origin.CONFIG),
        ("single", Origin.CONFIG),
    ]


def test_what_ships_with_gatehook_is_found_and_good():
    found = discover(Places(builtin=builtin_directory()))
    assert {"paper", "replay", "simulated", "sqlite_fts"} <= {one.id for one in found}


def test_missing_places_hold_no_plugins(tmp_path):
    found = survey(Places(workspace=tmp_path / "none", user=tmp_path / "none", config=(tmp_path / "none",)))
    assert (found.candidates, found.diagnostics) == ((), ())


def test_hidden_and_private_directories_and_plain_files_are_passed_over(tmp_path, make_plugin):
    for name in (".git", "__pycache__", "_private"):
        make_plugin(tmp_path / name)
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    assert workspace(tmp_path) == ()


def test_a_named_path_without_a_plugin_is_said(tmp_path):
    found = survey(Places(config=(tmp_path,), dev=(tmp_path / "none",)))
    assert [one.code for one in found.diagnostics] == ["plugins.path-without-plugin"] * 2


def test_an_unreadable_place_is_said_and_the_others_are_read(tmp_path, make_plugin, monkeypatch):
    make_plugin(tmp_path / "user" / "one")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("workspace"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = survey(Places(workspace=tmp_path / "workspace", user=tmp_path / "user"))
    assert [one.code for one in found.diagnostics] == ["plugins.unreadable"]
    assert len(found.candidates) == 1


def test_an_unreadable_plugin_is_blocked_and_keeps_its_name(tmp_path, make_plugin, monkeypatch):
    make_plugin(tmp_path / "mine")
    open_ = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("mine"):
            raise PermissionError(13, "Permission denied")
        return open_(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    found = only(tmp_path)
    assert (found.id, found.state, codes(found)) == ("mine", CandidateState.BLOCKED, ["plugins.unreadable"])
    assert "chmod u+rX" in found.diagnostics[0].remedy


def test_regression_01_a_writable_plugin_is_blocked_with_the_command_that_mends_it(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "mine", "mine")
    plugin.chmod(0o777)
    found = only(tmp_path)
    assert (found.id, found.state, codes(found)) == ("mine", CandidateState.BLOCKED, ["plugins.writable-by-others"])
    assert found.diagnostics[0].remedy == f"Run: chmod o-w {plugin}"
    assert found.manifest is not None


@pytest.mark.parametrize("name", ["plugin.json", "plugin.py"])
def test_regression_01_a_writable_file_blocks_too(tmp_path, make_plugin, name):
    file = make_plugin(tmp_path / "mine") / name
    file.chmod(0o666)
    found = only(tmp_path)
    assert codes(found) == ["plugins.writable-by-others"]
    assert str(file) in found.diagnostics[0].remedy


@root_only
def test_regression_01_anothers_plugin_is_blocked_with_the_command_that_mends_it(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "mine")
    os.chown(plugin, 4242, -1)
    found = only(tmp_path)
    assert codes(found) == ["plugins.wrong-owner"]
    assert f"chown -R {os.geteuid()} {plugin}" in found.diagnostics[0].remedy
    assert discover(Places(workspace=tmp_path, trusted_uids=frozenset({4242})))[0].state is CandidateState.OK
    assert discover(Places(builtin=tmp_path))[0].state is CandidateState.OK


def test_regression_02_one_directory_by_two_names_is_one_plugin_without_a_word(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "workspace" / "one")
    (tmp_path / "workspace" / "two").symlink_to(plugin)
    (tmp_path / "user").symlink_to(tmp_path / "workspace")
    found = survey(Places(workspace=tmp_path / "workspace", user=tmp_path / "user", config=(plugin,)))
    assert len(found.candidates) == 1
    assert found.candidates[0].root == plugin
    assert found.diagnostics == ()


def test_a_linked_plugin_is_known_by_its_real_path(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "elsewhere" / "one")
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "link").symlink_to(plugin)
    assert only(tmp_path / "workspace").root == plugin


def test_hard_links_are_refused_where_people_put_files_and_fine_where_installers_do(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "place" / "one")
    os.link(plugin / "plugin.py", tmp_path / "second")
    for origin in ("workspace", "user"):
        assert codes(discover(Places(**{origin: tmp_path / "place"}))[0]) == ["plugins.hard-link"]
    assert codes(discover(Places(config=(tmp_path / "place",)))[0]) == ["plugins.hard-link"]
    assert discover(Places(builtin=tmp_path / "place"))[0].state is CandidateState.OK


def test_a_manifest_that_is_a_link_below_the_root_is_read(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "one", "linked")
    (plugin / "sub").mkdir()
    (plugin / "plugin.json").rename(plugin / "sub" / "real.json")
    (plugin / "plugin.json").symlink_to("sub/real.json")
    assert only(tmp_path).state is CandidateState.OK


def test_a_manifest_that_is_a_link_out_is_blocked(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "place" / "one")
    (plugin / "plugin.json").rename(tmp_path / "outside.json")
    (plugin / "plugin.json").symlink_to(tmp_path / "outside.json")
    found = only(tmp_path / "place")
    assert (found.id, codes(found)) == ("one", ["plugins.escapes"])


def test_a_sibling_whose_name_begins_alike_is_outside(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "place" / "one")
    make_plugin(tmp_path / "place" / "one-more", "one-more")
    (plugin / "plugin.py").unlink()
    (plugin / "plugin.py").symlink_to("../one-more/plugin.py")
    found = {one.id: codes(one) for one in workspace(tmp_path / "place")}
    assert found == {"sample": ["manifest.entry-escapes"], "one-more": []}


def test_a_dangling_manifest_link_is_no_plugin(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "plugin.json").symlink_to("nowhere")
    assert workspace(tmp_path) == ()


@pytest.mark.timeout(10)
@pytest.mark.parametrize("what", ["fifo", "directory", "socket"])
def test_fault_04_a_manifest_that_is_no_file_blocks_nothing(tmp_path, make_plugin, what):
    plugin = make_plugin(tmp_path / "one")
    (plugin / "plugin.json").unlink()
    _put(what, plugin / "plugin.json")
    found = only(tmp_path)
    assert found.state is CandidateState.BLOCKED
    assert codes(found) == ["plugins.unreadable" if what == "socket" else "plugins.not-a-file"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("fifo", "manifest.entry-not-a-file"),
        ("directory", "manifest.entry-not-a-file"),
        ("socket", "manifest.entry-not-a-file"),
        ("missing", "manifest.entry-missing"),
        ("link-out", "manifest.entry-escapes"),
        ("linked-directory-out", "manifest.entry-escapes"),
    ],
)
def test_fault_04_an_entry_that_is_no_file_of_the_plugin_is_refused_at_the_scan(tmp_path, make_plugin, what, code):
    entry = {"type": "python.module", "module": "sub/main.py"}
    plugin = make_plugin(tmp_path / "place" / "one", entry=entry)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "main.py").touch()
    if what == "linked-directory-out":
        (plugin / "sub").symlink_to(outside)
    else:
        (plugin / "sub").mkdir()
        _put(what, plugin / "sub" / "main.py", outside / "main.py")
    found = only(tmp_path / "place")
    assert (found.state, codes(found)) == (CandidateState.INVALID, [code])
    assert (found.diagnostics[0].pointer, found.diagnostics[0].line) == ("/entry/module", 1)


def _put(what: str, path: Path, target: Path | None = None) -> None:
    if what == "fifo":
        os.mkfifo(path)
    elif what == "directory":
        path.mkdir()
    elif what == "socket":
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket is short
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(path.name)
        finally:
            os.chdir(here)
    elif what == "link-out":
        path.symlink_to(target)


def test_a_deep_entry_and_an_inner_link_are_fine(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "one", entry={"type": "python.module", "module": "a/b/main.py"})
    (plugin / "a").mkdir()
    (plugin / "real").mkdir()
    (plugin / "real" / "main.py").touch()
    (plugin / "a" / "b").symlink_to("../real")
    assert only(tmp_path).state is CandidateState.OK


def test_fault_01_one_bad_manifest_leaves_the_others(tmp_path, make_plugin):
    make_plugin(tmp_path / "bad", text="{")
    with (make_plugin(tmp_path / "huge") / "plugin.json").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    make_plugin(tmp_path / "good", "good")
    found = {one.id: (one.state, codes(one)) for one in workspace(tmp_path)}
    assert found == {
        "bad": (CandidateState.INVALID, ["manifest.not-json"]),
        "huge": (CandidateState.INVALID, ["manifest.too-large"]),
        "good": (CandidateState.OK, []),
    }


def test_a_broken_manifest_still_claims_its_id(tmp_path, make_plugin):
    make_plugin(tmp_path / "directory", "claimed", kinds=["none"])
    assert only(tmp_path).id == "claimed"


def test_a_strange_directory_name_is_shown_escaped(tmp_path, make_plugin):
    make_plugin(tmp_path / "a\u202eb", text="{")
    assert only(tmp_path).id == "a\\u202eb"


def test_dev_marks_what_another_origin_found_first(tmp_path, make_plugin):
    plugin = make_plugin(tmp_path / "workspace" / "one")
    (found,) = discover(Places(workspace=tmp_path / "workspace", dev=(plugin,)))
    assert (found.origin, found.dev) == (Origin.WORKSPACE, True)


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site)])
    return site


def install(site: Path, name: str, package: str, group: str = "gatehook.plugins") -> Path:
    info = site / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {package}\n")
    return site.joinpath(*package.split("."))


def test_an_installed_plugin_is_found_through_its_metadata_without_an_import(site, make_plugin):
    make_plugin(install(site, "a-dist", "outer.a_plugin"), "a-plugin", module="raise SystemExit")
    (site / "outer" / "__init__.py").write_text("raise SystemExit")
    (found,) = discover(Places(installed=True))
    assert (found.id, found.origin, found.distribution, found.package) == (
        "a-plugin",
        Origin.INSTALLED,
        "a-dist",
        "outer.a_plugin",
    )
    assert not any(name.startswith("outer") for name in sys.modules)


def test_other_groups_are_not_looked_at(site, make_plugin):
    make_plugin(install(site, "a-dist", "a_plugin", group="pytest11"))
    assert discover(Places(installed=True)) == ()


def test_the_first_of_two_copies_of_a_distribution_counts(site, tmp_path, make_plugin, monkeypatch):
    make_plugin(install(site, "dist", "one"), "one")
    second = tmp_path / "second"
    second.mkdir()
    make_plugin(install(second, "Dist", "two"), "two")
    monkeypatch.setattr(sys, "path", [str(site), str(second)])
    assert [one.id for one in discover(Places(installed=True))] == ["one"]


@pytest.mark.parametrize(("package", "present"), [("a-b", False), ("gone", False), ("bare", True)])
def test_a_broken_distribution_is_said_with_its_name(site, package, present):
    install(site, "dist", package)
    if present:
        (site / package).mkdir()
    found = survey(Places(installed=True))
    assert found.candidates == ()
    assert [one.code for one in found.diagnostics] == ["plugins.distribution-broken"]
    assert "dist" in found.diagnostics[0].message


def test_entry_points_that_cannot_be_read_are_said(site):
    install(site, "dist", "x")
    (site / "dist-1.dist-info" / "entry_points.txt").write_text("[gatehook.plugins]\nno value\n")
    assert [one.code for one in survey(Places(installed=True)).diagnostics] == ["plugins.distribution-broken"]


def test_an_editable_package_is_found_where_its_finder_says(site, tmp_path, make_plugin, monkeypatch):
    install(site, "dist", "edited")
    make_plugin(tmp_path / "elsewhere" / "edited", "edited")
    (tmp_path / "elsewhere" / "edited" / "__init__.py").write_text("raise SystemExit")

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            where = tmp_path / "elsewhere" / name
            return spec_from_file_location(name, where / "__init__.py") if where.is_dir() else None

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert [one.id for one in discover(Places(installed=True))] == ["edited"]


def test_a_plugin_that_vanishes_while_it_is_read_is_no_plugin(tmp_path, make_plugin, monkeypatch):
    plugin = make_plugin(tmp_path / "one")
    open_ = os.open

    def vanish(path, *arguments, **options):
        monkeypatch.setattr(os, "open", open_)  # rmtree opens too
        shutil.rmtree(plugin, ignore_errors=True)
        return open_(path, *arguments, **options)

    monkeypatch.setattr(os, "open", vanish)
    assert workspace(tmp_path) == ()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(tmp_path, make_plugin, enabled):
    make_plugin(tmp_path / "one", "one")
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        assert workspace(tmp_path)
        assert gc.isenabled() is enabled
        with pytest.raises(TypeError):
            discover(Places(workspace=tmp_path), embedded=[None])
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()

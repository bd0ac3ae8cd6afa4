"""The digest of a tree, and reading back exactly what was hashed."""

from __future__ import annotations

import os
import shutil

import pytest

from gatehook import GatehookError
from gatehook.catalog import tree
from gatehook.catalog.tree import TreeRefused
from gatehook.catalog.tree import hash_tree
from gatehook.catalog.tree import tree_digest
from gatehook.catalog.tree import verified_bytes
from gatehook.catalog.tree import verified_sources


@pytest.fixture
def plugin(tmp_path):
    root = tmp_path / "plugin"
    (root / "sub").mkdir(parents=True)
    (root / "plugin.json").write_text("{}")
    (root / "plugin.py").write_text("a = 1\n")
    (root / "sub" / "data.txt").write_text("x")
    return root


def test_equal_trees_have_equal_digests_wherever_they_are(plugin, tmp_path):
    shutil.copytree(plugin, tmp_path / "copy")
    assert tree_digest(plugin) == tree_digest(tmp_path / "copy")
    assert tree_digest(plugin).startswith("sha256:")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "plugin.py").write_text("a = 2\n"),
        lambda root: (root / "plugin.py").chmod(0o755),
        lambda root: (root / "new.py").touch(),
        lambda root: (root / "sub" / "data.txt").rename(root / "data.txt"),
        lambda root: (root / "empty").mkdir(),
        lambda root: shutil.rmtree(root / "sub"),
    ],
)
def test_every_change_changes_the_digest(plugin, change):
    before = tree_digest(plugin)
    change(plugin)
    assert tree_digest(plugin) != before


def _pycache(root):
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "plugin.cpython-311.pyc").touch()


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (_pycache, "bytecode"),
        (lambda root: (root / "sub" / "evil.pyc").touch(), "bytecode"),
        (lambda root: (root / "evil.pth").touch(), "bytecode"),
        (lambda root: (root / "link").symlink_to("/etc/passwd"), "symbolic link"),
        (lambda root: (root / "inner").symlink_to("sub"), "symbolic link"),
        (lambda root: os.mkfifo(root / "pipe"), "fifo"),
        (lambda root: os.link(root / "plugin.py", root.parent / "second"), "hard link"),
        (lambda root: (root / "plugin.py").chmod(0o666), "every user"),
    ],
)
def test_fault_36_a_tree_that_cannot_be_trusted_has_no_digest(plugin, plant, reason):
    plant(plugin)
    with pytest.raises(TreeRefused, match=reason):
        tree_digest(plugin)


def test_an_installed_tree_may_have_what_installers_write(plugin):
    before = hash_tree(plugin, packaged=True).digest
    _pycache(plugin)
    os.link(plugin / "plugin.py", plugin.parent / "second")
    found = hash_tree(plugin, packaged=True)
    assert found.digest == before
    assert "__pycache__/plugin.cpython-311.pyc" not in found.files


def test_a_tree_has_caps(plugin, monkeypatch):
    monkeypatch.setattr(tree, "MOST_FILES", 2)
    with pytest.raises(TreeRefused, match="more than 2 files"):
        tree_digest(plugin)
    monkeypatch.undo()
    monkeypatch.setattr(tree, "MOST_BYTES", 3)
    with pytest.raises(TreeRefused, match="3 bytes"):
        tree_digest(plugin)
    monkeypatch.undo()
    monkeypatch.setattr(tree, "DEEPEST_TREE", 0)
    with pytest.raises(TreeRefused, match="deep"):
        tree_digest(plugin)


def test_a_tree_that_is_gone_is_refused(tmp_path):
    with pytest.raises(TreeRefused):
        tree_digest(tmp_path / "none")


def test_a_file_is_read_back_as_it_was_hashed(plugin):
    hashed = hash_tree(plugin)
    assert verified_bytes(plugin, "plugin.py", hashed) == b"a = 1\n"
    assert verified_bytes(plugin, "sub/data.txt") == b"x"
    assert verified_sources(hashed) == {"plugin.py": b"a = 1\n"}


def test_fault_36_a_file_swapped_after_hashing_is_refused(plugin):
    hashed = hash_tree(plugin)
    (plugin / "plugin.py").write_text("evil\n")
    for read in (lambda: verified_bytes(plugin, "plugin.py", hashed), lambda: verified_sources(hashed)):
        with pytest.raises(GatehookError, match=r"consent\.file-changed"):
            read()


def test_fault_36_a_file_that_was_not_hashed_is_not_there(plugin):
    hashed = hash_tree(plugin)
    (plugin / "new.py").write_text("evil\n")
    with pytest.raises(FileNotFoundError):
        verified_bytes(plugin, "new.py", hashed)
    (plugin / "plugin.py").unlink()
    with pytest.raises(GatehookError, match=r"consent\.file-changed"):
        verified_sources(hashed)


def test_nothing_outside_is_read(plugin, tmp_path):
    (tmp_path / "outside").write_text("x")
    (plugin / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(GatehookError, match=r"plugins\.escapes"):
        verified_bytes(plugin, "link")
    with pytest.raises(FileNotFoundError):
        verified_bytes(plugin, "sub")

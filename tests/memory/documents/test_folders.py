"""Which files of a folder are seen."""

from __future__ import annotations

import os

import pytest

from gatehook.memory.documents.globs import Globs
from gatehook.memory.documents.walking import Interrupted
from gatehook.memory.documents.walking import walk


@pytest.mark.parametrize(
    ("pattern", "path", "taken"),
    [
        ("*.md", "a.md", True),
        ("*.md", "deep/a.md", True),
        ("notes/*.md", "notes/a.md", True),
        ("notes/*.md", "notes/deep/a.md", False),
        ("notes/**/*.md", "notes/a.md", True),
        ("notes/**/*.md", "notes/x/y/a.md", True),
        ("notes/**", "notes/x/y/a.md", True),
        ("**/x/**/b?.md", "q/x/r/s/b1.md", True),
        ("**/x/**/b?.md", "q/r/s/b1.md", False),
        ("[ab].md", "a.md", False),
        ("*.MD", "a.md", False),
        ("**", ".hidden", False),
        ("**/*a*a*a*a*a*a*a*b", "a" * 200, False),
    ],
)
def test_patterns(pattern, path, taken):
    assert Globs([pattern]).takes(path) is taken


def seen(root, include=("**/*.md",), exclude=(), most=100):
    return walk(root, Globs(include, exclude), most=most)


def write(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text")


def test_files_are_found_below_in_order(tmp_path):
    write(tmp_path, "b.md", "a/z.md", "a/b/c.md", "x.png", ".git/a.md", ".a.md")
    assert set(seen(tmp_path).files) == {"a/b/c.md", "a/z.md", "b.md"}
    assert list(seen(tmp_path).files) == list(seen(tmp_path).files)


def test_a_folder_that_is_left_out_is_not_listed(tmp_path):
    write(tmp_path, "a.md", "old/b.md", "deep/old/c.md")
    assert set(seen(tmp_path, exclude=["old"]).files) == {"a.md"}
    assert set(seen(tmp_path, exclude=["deep/**"]).files) == {"a.md", "old/b.md"}


def test_links_are_not_followed(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    write(inside, "a.md")
    write(outside, "secret.md")
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "dir").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "pipe.md")
    assert set(seen(inside).files) == {"a.md"}
    (tmp_path / "root").symlink_to(inside)
    assert set(seen(tmp_path / "root").files) == {"a.md"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError):
        seen(tmp_path / "gone")


def test_a_folder_below_that_cannot_be_listed_hides_its_files(tmp_path, monkeypatch):
    write(tmp_path, "a.md", "x/b.md", "x/y/c.md")
    scandir = os.scandir

    def refused(path):
        if path == tmp_path / "x":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    found = seen(tmp_path)
    assert set(found.unseen) == {"x"}
    assert found.hides("x/y/c.md")
    assert not found.hides("gone.md")


def test_no_more_files_than_were_allowed(tmp_path):
    write(tmp_path, *(f"{n}.md" for n in range(9)))
    found = seen(tmp_path, most=5)
    assert (len(found.files), found.too_many) == (5, True)
    assert not seen(tmp_path, most=9).too_many


def test_a_walk_can_be_stopped(tmp_path):
    with pytest.raises(Interrupted):
        walk(tmp_path, Globs(["**"]), most=5, stopped=lambda: True)

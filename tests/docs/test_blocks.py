"""Every block of the documentation does what it says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gatehook.catalog import parse_manifest
from gatehook.config import parse_config
from tests.docs.stories import DOCS
from tests.docs.stories import LANGUAGES
from tests.docs.stories import PAGES
from tests.docs.stories import Story
from tests.docs.stories import blocks

#: Its blocks are plugins, which ``test_hooks`` loads.
HOOKS = DOCS / "hooks.md"
RUN = [page for page in PAGES if page != HOOKS and any(one.language in ("sh", "python") for one in blocks(page))]


@pytest.mark.timeout(180)
@pytest.mark.skipif(os.name != "posix", reason="the commands are written for a POSIX shell")
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_the_blocks_of_the_page_run(page, tmp_path):
    Story(tmp_path).tell(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_of_a_known_language_and_can_be_read(page):
    for one in blocks(page):
        assert one.language in LANGUAGES, one.text
        if one.language == "json":
            json.loads(one.text)
        if one.language == "toml" and not one.text.startswith("[build-system]"):
            parse_config(one.text.encode())


def test_the_manifests_on_the_pages_are_valid():
    manifests = [
        one.text
        for page in PAGES
        for one in blocks(page)
        if one.language == "json" and (one.file or "plugin.json").endswith("plugin.json")
    ]
    assert len(manifests) > 2
    for text in manifests:
        assert parse_manifest(text.encode(), Path("plugin.json"))[1] == ()

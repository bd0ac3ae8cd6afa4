"""Every block of the README, as it stands, in a new environment."""

from __future__ import annotations

import os

import pytest

from tests.readme.checkout import Checkout
from tests.readme.checkout import block
from tests.readme.checkout import blocks

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.name != "posix", reason="the commands are written for a POSIX shell"),
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("readme"))


def test_the_plugin_has_at_most_fifteen_lines_and_the_embedding_program_ten():
    plugin = block("python", "@hookimpl").splitlines()
    embedding = block("python", "PluginHost").splitlines()
    assert len([line for line in plugin if line.strip()]) <= 15
    assert len([line for line in embedding if line.strip()]) <= 10


def test_every_block_is_known_to_these_tests():
    assert [kind for kind, _ in blocks()] == ["sh", "sh", "json", "python", "sh", "python", "sh"]


def test_the_blocks_do_what_they_say(checkout):
    with checkout.running(block("sh", "gatehook run"), "\nready\n"):
        quoted = checkout.run(block("sh", "orders place"))
        assert "SIMULATED" in quoted
        assert "filled" in quoted
        assert "10000" in quoted
    folder = checkout.root / "plugins" / "wave"
    folder.mkdir(parents=True)
    (folder / "plugin.json").write_text(block("json", '"wave"'))
    (folder / "plugin.py").write_text(block("python", "@hookimpl"))
    assert "admitted" in checkout.run(block("sh", "plugins enable"))
    (checkout.root / "embedding.py").write_text(block("python", "PluginHost"))
    assert "filled" in checkout.run(".venv/bin/python embedding.py")


def test_the_test_command_passes(checkout):
    assert "passed" in checkout.run("rm -rf .venv\n" + block("sh", "-m pytest"), timeout=300)

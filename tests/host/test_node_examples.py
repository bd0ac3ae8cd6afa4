"""The worked examples in JavaScript, held to their own tests wherever there is ``node``."""

from __future__ import annotations

from importlib.util import module_from_spec
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"


def example(plugin: str):
    spec = spec_from_file_location(f"test_{plugin}", PLUGINS / plugin / "tests" / f"test_{plugin}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def marked(module):
    marks = module.pytestmark if isinstance(module.pytestmark, list) else [module.pytestmark]

    def apply(item):
        for mark in marks:
            item = mark(item)
        return item

    return apply


_tides, _sdk = example("tides"), example("tides_sdk")

TestTides = marked(_tides)(_tides.TestTides)
TestTidesSdk = marked(_sdk)(_sdk.TestTidesSdk)
test_tides_is_an_mcp_server_on_its_own = marked(_tides)(_tides.test_it_is_an_mcp_server_on_its_own)


def test_both_examples_have_the_same_market():
    one, other = ((PLUGINS / plugin / "market.mjs").read_text() for plugin in ("tides", "tides_sdk"))
    assert one.replace('"TIDES"', '"TIDES-SDK"') == other


@pytest.mark.parametrize("plugin", ["tides", "tides_sdk"])
def test_the_readme_says_how_to_run_it(plugin):
    text = (PLUGINS / plugin / "README.md").read_text()
    assert "gatehook plugins enable" in text
    assert ("npm install" in text) is (plugin == "tides_sdk")

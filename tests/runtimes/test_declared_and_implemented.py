"""What a module implements, against what its manifest declares."""

from __future__ import annotations

import pytest

from gatehook import GatehookError
from gatehook import hookimpl
from gatehook.kinds.kind import Kind
from gatehook.runtimes import LoadRequest
from tests.runtimes.loading_kit import HOOK
from tests.runtimes.loading_kit import load_one
from tests.runtimes.loading_kit import manifest
from tests.runtimes.loading_kit import request
from tests.runtimes.loading_kit import wrapping
from tests.runtimes.loading_kit import write

UNMARKED = "def provide_market_data(context):\n    return None\n"
MARKED = "@hookimpl\ndef {name}(context):\n    return None\n"
IMPORT = "from gatehook import hookimpl\n"


def problems(runtime, tmp_path, source, **keys):
    root = write(tmp_path, {"plugin.py": source})
    with pytest.raises(GatehookError) as caught:
        load_one(runtime, request(root, manifest(**keys)))
    for one in caught.value.diagnostics:
        assert one.plugin == "quotes"
    return {one.code: one for one in caught.value.diagnostics}


def test_a_declared_kind_without_its_hook(runtime, tmp_path):
    found = problems(runtime, tmp_path, HOOK, kinds=(Kind.MARKET_DATA, Kind.BROKER))
    assert list(found) == ["runtime.hook-missing"]
    assert "provide_broker" in found["runtime.hook-missing"].message


def test_a_hook_without_its_declared_kind(runtime, tmp_path):
    found = problems(runtime, tmp_path, HOOK + MARKED.format(name="provide_broker"))
    assert list(found) == ["runtime.kind-undeclared"]
    assert found["runtime.kind-undeclared"].line == 7


@pytest.mark.parametrize("name", ["provide_market_date", "gateway_starte"])
def test_an_unknown_hook_is_an_error_with_what_was_meant(runtime, tmp_path, name):
    found = problems(runtime, tmp_path, HOOK + MARKED.format(name=name))
    known = {"provide_market_date": "provide_market_data", "gateway_starte": "gateway_started"}[name]
    assert f'did you mean "{known}"?' in found["runtime.hook-unknown"].message


def test_a_hook_that_nobody_marked_is_one_finding_not_two(runtime, tmp_path):
    found = problems(runtime, tmp_path, UNMARKED)
    assert list(found) == ["runtime.hook-unmarked"]
    assert found["runtime.hook-unmarked"].line == 1


def test_an_unmarked_function_that_looks_like_a_hook(runtime, tmp_path):
    found = problems(runtime, tmp_path, HOOK + "def provide_brokers(context):\n    pass\n")
    assert 'did you mean "provide_broker"?' in found["runtime.hook-unmarked"].message


def test_functions_imported_from_elsewhere_are_nobodys_hooks(runtime, tmp_path):
    root = write(tmp_path, {"plugin.py": "from gatehook.hookspecs import provide_broker\n" + HOOK})
    assert load_one(runtime, request(root)).providers


def test_arguments_that_the_hook_does_not_have(runtime, tmp_path):
    found = problems(runtime, tmp_path, HOOK.replace("(context)", "(context, config)"))
    assert "'config'" in found["runtime.hook-arguments"].message


@pytest.mark.parametrize(
    ("name", "permissions", "rule"),
    [
        ("provide_market_data", (), "permission"),
        ("provide_broker", (Kind.BROKER,), "desk"),
        ("gateway_started", (), "observers"),
    ],
)
def test_wrappers_that_are_refused(runtime, tmp_path, name, permissions, rule):
    source = HOOK + f"class W:\n    @hookimpl(wrapper=True)\n    def {name}(self):\n        yield\n"
    source += "def register(api):\n    api.add(W())\n"
    found = problems(runtime, tmp_path, source, permissions=wrapping(*permissions))
    assert rule in found["runtime.wrapper-refused"].message


def test_a_wrapper_with_its_permission_is_kept_apart(runtime, tmp_path):
    source = HOOK + "@hookimpl(wrapper=True, specname='provide_memory_backend')\ndef wrap(context):\n    yield\n"
    about = manifest(permissions=wrapping(Kind.MEMORY))
    plugin = load_one(runtime, request(write(tmp_path, {"plugin.py": source}), about))
    assert [one.hook for one in plugin.wrappers] == ["provide_memory_backend"]


def test_one_hook_by_module_and_register_names_both_lines(runtime, tmp_path):
    source = HOOK + "class Second:\n    @hookimpl\n    def provide_market_data(self, context):\n        pass\n"
    found = problems(runtime, tmp_path, source + "def register(api):\n    api.add(Second())\n")
    said = found["runtime.hook-twice"].message
    assert f"{tmp_path / 'plugin.py'}:4" in said
    assert f"{tmp_path / 'plugin.py'}:8" in said


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def register(api):\n    raise SystemExit(2)\n", "SystemExit"),
        ("async def register(api):\n    pass\n", "awaitable"),
        ("def register():\n    pass\n", "TypeError"),
        ("def register(api):\n    api.add(int)\n", "the class int"),
        ("def register(api):\n    api.config\n", "config"),
    ],
)
def test_register_that_fails(runtime, tmp_path, source, words):
    found = problems(runtime, tmp_path, HOOK + source)
    assert words in found["runtime.register-failed"].message


def test_register_may_bring_the_provider(runtime, tmp_path):
    source = (
        "from gatehook import hookimpl\nclass P:\n    @hookimpl\n    def provide_market_data(self, context):\n"
        "        return self\ndef register(api):\n    api.logger.debug(api.plugin_id)\n    api.add(P())\n"
    )
    plugin = load_one(runtime, request(write(tmp_path, {"plugin.py": source})))
    assert plugin.providers[Kind.MARKET_DATA].line == 3


class Base:
    @hookimpl
    def gateway_started(self):
        """From the base class."""


class Embedded(Base):
    value = property(lambda self: 1 / 0)

    @hookimpl
    def provide_market_data(self, context):
        return None

    @staticmethod
    @hookimpl
    def gateway_stopping():
        """Without self."""


def test_an_object_gives_its_hooks_inherited_ones_too_and_its_properties_are_not_asked(runtime):
    plugin = load_one(runtime, LoadRequest(manifest=manifest(), origin="embedded", module="", embedded=Embedded()))
    assert sorted(one.hook for one in plugin.observers) == ["gateway_started", "gateway_stopping"]
    assert list(plugin.providers) == [Kind.MARKET_DATA]

"""The manifest's ``requires``, and whether it is met: the plugin API, installed packages, other plugins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from gatehook.catalog.manifest import Entry
from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Requires
from gatehook.catalog.reader import Reader
from gatehook.catalog.reader import pointer_to
from gatehook.catalog.reader import shown
from gatehook.diagnostics.codes import manifest as codes

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

ID: Final = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*\Z")
KEYS: Final = frozenset({"api", "packages", "plugins"})
#: The official Python SDK of the Model Context Protocol.
SDK: Final = "mcp"
_EMPTY: Final[Mapping[str, str]] = MappingProxyType({})
_FLOORS: Final = frozenset({">=", ">", "~=", "=="})
_CEILINGS: Final = frozenset({"<=", "<", "~=", "=="})


def read_requires(value: Any, reader: Reader) -> Requires:
    """Read ``requires``."""
    asked = reader.table(value, "requires", "")
    if not KEYS.issuperset(asked):
        reader.unknown(asked, KEYS, "/requires")
    api = reader.text(asked["api"], "api", "/requires") if "api" in asked else None
    if api:
        _check_api(api, reader)
    packages = reader.texts(asked["packages"], "packages", "/requires") if "packages" in asked else ()
    for index, package in enumerate(packages):
        if package:
            _check_package(package, f"/requires/packages/{index}", reader)
    plugins = _plugins(asked["plugins"], reader) if "plugins" in asked else _EMPTY
    return Requires(api=api, packages=packages, plugins=plugins)


def _check_api(text: str, reader: Reader) -> None:
    expected, example = "version range", '">=1.0,<2"'
    fault = _fault_of_api(text)
    if fault:
        reader.note(
            codes.BAD_REQUIREMENT, "/requires/api", value=shown(text), expected=expected, reason=fault, example=example
        )


@cache
def _fault_of_api(text: str) -> str | None:
    fault = fault_of_range(text)
    operators = set() if fault else {one.operator for one in parsed_range(text)}
    if not fault and (operators.isdisjoint(_FLOORS) or operators.isdisjoint(_CEILINGS)):
        return "it needs a floor and a ceiling"
    return fault


def _check_package(text: str, pointer: str, reader: Reader) -> None:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement

    try:
        Requirement(text)
    except InvalidRequirement:
        facts = {"expected": "package requirement", "reason": "PEP 508 does not read it", "example": '"httpx2>=2.9"'}
        reader.note(codes.BAD_REQUIREMENT, pointer, value=shown(text), **facts)


def _plugins(value: Any, reader: Reader) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for plugin_id, text in reader.table(value, "plugins", "/requires").items():
        pointer = pointer_to("/requires/plugins", plugin_id)
        fault = None if ID.match(plugin_id) else "that is no plugin id"
        if fault is None:
            fault = fault_of_range(text) if type(text) is str else "the range is no string"
        if fault:
            facts = {"expected": "requirement on a plugin", "reason": fault, "example": '"paper": ">=0.1"'}
            reader.note(codes.BAD_REQUIREMENT, pointer, value=shown(plugin_id), **facts)
        else:
            found[plugin_id] = text
    return found


def fault_of_range(text: str) -> str | None:
    """Say what is wrong with a PEP 440 range; ``None`` when it is one."""
    from packaging.specifiers import InvalidSpecifier

    try:
        parsed_range(text)
    except InvalidSpecifier:
        return "PEP 440 does not read it"
    return None


@cache
def parsed_range(text: str) -> SpecifierSet:
    """Return a PEP 440 range.

    Raises:
        InvalidSpecifier: of ``packaging``.
    """
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text)


@cache
def in_range(version: str, text: str) -> bool:
    """Say whether a version lies in a valid range; pre-releases count."""
    return parsed_range(text).contains(version, prereleases=True)


def missing_packages(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Return the requirements that no installed distribution meets, markers obeyed, each with what is there."""
    return tuple(said for package in packages if (said := _lack_of(package)) is not None)


def needs_sdk(entry: Entry | None) -> bool:
    """Say whether a plugin's session is the MCP SDK's."""
    return isinstance(entry, ExternalMcp) and entry.needs_sdk


def missing_sdk(entry: Entry | None) -> tuple[str, ...]:
    """Return the MCP SDK as missing, where an entry needs it and it is not there; it is not imported to find out."""
    return (f"{SDK} (not installed)",) if needs_sdk(entry) and not _is_importable(SDK) else ()


@cache
def _is_importable(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


@cache
def _lack_of(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version

    from packaging.requirements import Requirement

    wanted = Requirement(package)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return None
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{package} (not installed)"
    return None if wanted.specifier.contains(found, prereleases=True) else f"{package} (installed: {found})"

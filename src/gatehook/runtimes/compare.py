"""Declared against implemented, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
from pluggy import PluginValidationError

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import runtime as codes
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind
from gatehook.runtimes.scan import HOOKS
from gatehook.runtimes.scan import PROVIDING
from gatehook.runtimes.scan import Implementation
from gatehook.runtimes.scan import Unmarked
from gatehook.runtimes.scan import manager_of

if TYPE_CHECKING:
    from gatehook.catalog.manifest import Manifest


@attrs.frozen
class Comparison:
    """The implementations by their role, and everything that is wrong with them."""

    providers: Mapping[Kind, Implementation]
    wrappers: tuple[Implementation, ...]
    observers: tuple[Implementation, ...]
    diagnostics: tuple[Diagnostic, ...]


def compare(manifest: Manifest, found: Sequence[Implementation | Unmarked]) -> Comparison:
    """Sort what a plugin implements, and compare it with the manifest."""
    wrong: list[Diagnostic] = []
    providers: dict[Kind, Implementation] = {}
    wrappers: list[Implementation] = []
    observers: list[Implementation] = []
    for one in found:
        problem = _problem(manifest, one)
        if problem is not None:
            wrong.append(problem)
        elif isinstance(one, Implementation):
            _sort(manifest, one, providers, wrappers, observers, wrong)
    wrong += _kinds(manifest, providers, {one.name for one in found if isinstance(one, Unmarked)})
    return Comparison(providers, tuple(wrappers), tuple(observers), tuple(wrong))


def _sort(
    manifest: Manifest,
    one: Implementation,
    providers: dict[Kind, Implementation],
    wrappers: list[Implementation],
    observers: list[Implementation],
    wrong: list[Diagnostic],
) -> None:
    kind = PROVIDING.get(one.hook)
    if kind is None:
        observers.append(one)
    elif one.wrapper:
        wrappers.append(one)
    elif kind in providers:
        first = providers[kind]
        wrong.append(
            codes.HOOK_TWICE(
                plugin=manifest.id,
                path=one.path,
                line=one.line,
                hook=one.hook,
                first=f"{first.path}:{first.line}",
                second=f"{one.path}:{one.line}",
            )
        )
    else:
        providers[kind] = one


def _problem(manifest: Manifest, one: Implementation | Unmarked) -> Diagnostic | None:
    if isinstance(one, Unmarked):
        hint = "" if one.name in HOOKS else did_you_mean(one.name, HOOKS)
        return codes.HOOK_UNMARKED(plugin=manifest.id, path=one.path, line=one.line, hook=one.name, hint=hint)
    if one.hook not in HOOKS:
        hint = did_you_mean(one.hook, HOOKS)
        return codes.HOOK_UNKNOWN(plugin=manifest.id, path=one.path, line=one.line, hook=one.hook, hint=hint)
    return _wrapping(manifest, one) or _arguments(manifest, one)


def _wrapping(manifest: Manifest, one: Implementation) -> Diagnostic | None:
    if not one.wrapper:
        return None
    kind = PROVIDING.get(one.hook)
    if kind is None:
        rule = "observers are called each by itself"
    elif kind is Kind.BROKER:
        rule = "a broker has the desk before it and nothing else"
    elif kind not in manifest.permissions.wrap:
        rule = f'the manifest does not ask for the permission "wrap:{kind}"'
    else:
        return None
    return codes.WRAPPER_REFUSED(plugin=manifest.id, path=one.path, line=one.line, hook=one.hook, rule=rule)


def _arguments(manifest: Manifest, one: Implementation) -> Diagnostic | None:
    manager = manager_of(one.hook)
    try:
        manager.register(one.stand_in, manifest.id)
    except PluginValidationError as error:
        text = " ".join(str(error).split())
        return codes.HOOK_ARGUMENTS(plugin=manifest.id, path=one.path, line=one.line, hook=one.hook, error=text)
    return None


def _kinds(manifest: Manifest, providers: Mapping[Kind, Implementation], unmarked: set[str]) -> Iterable[Diagnostic]:
    for kind in manifest.kinds:
        hook = KINDS[kind].hook
        if kind not in providers and hook not in unmarked:
            yield codes.HOOK_MISSING(plugin=manifest.id, kind=kind, hook=hook)
    for kind, one in providers.items():
        if kind not in manifest.kinds:
            yield codes.KIND_UNDECLARED(plugin=manifest.id, path=one.path, line=one.line, kind=kind, hook=one.hook)

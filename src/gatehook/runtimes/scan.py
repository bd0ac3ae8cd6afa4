"""Finding hook implementations in a module or an object, quickly, and what looks like one but is none."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from types import FunctionType
from types import MethodType
from types import ModuleType
from typing import Any
from typing import Final

import attrs
import pluggy

from gatehook import hookspecs
from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind

#: hook -> the kind that it provides
PROVIDING: Final[Mapping[str, Kind]] = {spec.hook: kind for kind, spec in KINDS.items()}


class HookManager(pluggy.PluginManager):
    """A pluggy manager that looks at our hooks' names only: ``register`` is slow for every other attribute."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        """Return the options of a marked function with the name of a hook."""
        return super().parse_hookimpl_opts(plugin, name) if name in HOOKS else None


def manager_of(hook: str) -> HookManager:
    """Return a pluggy manager that knows this one hook."""
    manager = HookManager(hookspecs.PROJECT)
    specification: Any = _StandIn(hook, getattr(hookspecs, hook))
    manager.add_hookspecs(specification)
    return manager


def _hooks() -> Iterator[str]:
    reader = pluggy.PluginManager(hookspecs.PROJECT)
    return (name for name in vars(hookspecs) if reader.parse_hookspec_opts(hookspecs, name) is not None)


#: Every hook of Gatehook.
HOOKS: Final = frozenset(_hooks())


@attrs.frozen(eq=False)
class Implementation:
    """One marked function: which hook it is for, and where it is written."""

    hook: str
    function: Callable[..., Any]
    options: Mapping[str, Any]

    @property
    def wrapper(self) -> bool:
        """Whether it wraps other implementations."""
        return bool(self.options.get("wrapper") or self.options.get("hookwrapper"))

    @property
    def path(self) -> Path:
        """The file it is written in."""
        return place_of(self.function)[0]

    @property
    def line(self) -> int:
        """The line it begins at."""
        return place_of(self.function)[1]

    @property
    def stand_in(self) -> object:
        """An object with this one hook: what pluggy registers, without a look at the plugin's other attributes."""
        return _StandIn(self.hook, self.function)


def place_of(function: Callable[..., Any]) -> tuple[Path, int]:
    """Return the file a function or bound method is written in, and the line it begins at."""
    plain: Any = function.__func__ if isinstance(function, MethodType) else function
    code: CodeType = inspect.unwrap(plain).__code__
    return Path(code.co_filename), code.co_firstlineno


class _StandIn:
    def __init__(self, hook: str, function: Callable[..., Any]) -> None:
        self.__dict__[hook] = function

    def __dir__(self) -> list[str]:
        return list(self.__dict__)


@attrs.frozen
class Unmarked:
    """A function named like a hook that nobody marked."""

    name: str
    path: Path
    line: int


def scan(plugin: object) -> Iterator[Implementation | Unmarked]:
    """Yield every marked function of a module or object, and every unmarked one whose name looks like a hook's."""
    module = plugin.__name__ if isinstance(plugin, ModuleType) else None
    reader = pluggy.PluginManager(hookspecs.PROJECT)
    for name, raw in _members(plugin):
        function = raw.__func__ if isinstance(raw, (staticmethod, classmethod, MethodType)) else raw
        if not isinstance(function, FunctionType):
            continue
        options = reader.parse_hookimpl_opts(plugin, name)
        if options is not None:
            hook = options.get("specname") or name
            yield Implementation(str(hook), getattr(plugin, name), options)
        elif _looks_like_a_hook(name) and module in (None, function.__module__):
            yield Unmarked(name, *place_of(function))


def _members(plugin: object) -> Iterator[tuple[str, object]]:
    if isinstance(plugin, ModuleType):
        yield from list(vars(plugin).items())
        return
    seen: set[str] = set()
    for namespace in (getattr(plugin, "__dict__", {}), *(vars(cls) for cls in type(plugin).__mro__[:-1])):
        for name, value in list(namespace.items()):
            if name not in seen:
                seen.add(name)
                yield name, value


def _looks_like_a_hook(name: str) -> bool:
    return name in HOOKS or name.startswith("provide_")

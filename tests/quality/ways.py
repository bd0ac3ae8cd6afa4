"""Reads source and names every line that could reach a broker's trading methods without the desk."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.orders.spy import TRADING

#: Rooms that hold a ``BrokerHandle``, whose methods have the same names and go to the desk.
HANDLE_ROOMS = frozenset({"gateway", "cli"})
#: The desk's own room; the kit, whose suites hold the provider itself to its statements.
FREE_ROOMS = frozenset({"orders", "testing"})
#: Files of handle rooms that may touch a provider: ``paper reset`` is no trading method.
TOUCHES_PROVIDER = frozenset({"gateway/methods/paper.py"})
_BY_NAME = frozenset({"getattr", "hasattr", "methodcaller", "attrgetter", "__getattribute__"})


def ways_round(package: Path) -> list[str]:
    """Return each place outside ``orders`` where a provider could be told to trade, as ``file:line what``."""
    return [
        f"{path.relative_to(package).as_posix()}:{line} {what}"
        for path in sorted(package.rglob("*.py"))
        if _room(path, package) not in FREE_ROOMS
        for line, what in _in_file(path, package)
    ]


def _room(path: Path, package: Path) -> str:
    return path.relative_to(package).parts[0]


def _in_file(path: Path, package: Path) -> Iterator[tuple[int, str]]:
    name = path.relative_to(package).as_posix()
    holds_handles = _room(path, package) in HANDLE_ROOMS
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            if node.attr in TRADING and not (holds_handles and not _is_provider(node.value)):
                yield node.lineno, f"{ast.unparse(node)}: a trading method"
            if node.attr == "provider" and holds_handles and name not in TOUCHES_PROVIDER:
                yield node.lineno, f"{ast.unparse(node)}: a provider in a room of handles"
        elif isinstance(node, ast.Call) and _named(node.func) in _BY_NAME:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and argument.value in TRADING:
                    yield node.lineno, f"{ast.unparse(node)}: a trading method by its name"


def _is_provider(value: ast.expr) -> bool:
    return _named(value) in ("provider", "broker_provider")


def _named(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""

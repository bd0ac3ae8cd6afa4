"""Every pitfall that this part answers for has a test that is named by its number."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REGRESSIONS = (*range(1, 8), *range(9, 15), 19, 20, 21, 22, 25)
FAULTS = (1, 2, 3, 4, 6, 7, 8, 10, 13, 16, 17, 18, 19, 25, 28, 29)

TESTS = Path(__file__).parents[1]
NAME = re.compile(r"test_(?P<list>regression|fault)_(?P<number>\d\d)_\w+")


@cache
def numbered(place: Path) -> set[tuple[str, int]]:
    """The numbers in the names of the test functions below a directory; a name in a string or comment is none."""
    found = set()
    for path in place.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (match := NAME.fullmatch(node.name)):
                found.add((match["list"], int(match["number"])))
    return found


@pytest.mark.parametrize(
    ("pitfalls", "number"),
    [*(("regression", number) for number in REGRESSIONS), *(("fault", number) for number in FAULTS)],
)
def test_it_has_a_test(pitfalls, number):
    assert (pitfalls, number) in numbered(TESTS), f"no test_{pitfalls}_{number:02}_… below {TESTS}"

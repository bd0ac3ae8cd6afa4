"""A tool's answer as an ``McpResult``, held against the tool's own output schema."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from typing import Any

import mcp_types as types

from gatehook.context import McpResult
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.runtimes.mcp.arguments import first_problem

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def read_result(tool: str, result: types.CallToolResult, validator: Validator | None) -> McpResult:
    """Return what a tool answered.

    Raises:
        ToolAnswerInvalid: its structured content is against its own output schema, or missing.
    """
    texts = tuple(one.text for one in result.content if isinstance(one, types.TextContent))
    made = McpResult(texts=texts, structured=result.structured_content, is_error=bool(result.is_error), tool=tool)
    if validator is not None and not made.is_error:
        if made.structured is None:
            raise ToolAnswerInvalid(f"the tool {tool!r} states an output schema, and answered nothing of it")
        problem = first_problem(validator, _floats(made.structured))
        if problem:
            pointer = problem.partition(":")[0]
            raise ToolAnswerInvalid(
                f"the answer of the tool {tool!r} is against its own output schema at {problem}", pointer=pointer
            )
    return made


def _floats(value: Any) -> Any:
    """Return what a schema can be held against: its bounds are floats."""
    if isinstance(value, dict):
        return {key: _floats(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_floats(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value

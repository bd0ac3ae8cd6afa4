"""A tool's answer as an ``McpResult``, held against the tool's own output schema."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING
from typing import Any

from gatehook.context import McpResult
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.runtimes.mcp.arguments import first_problem
from gatehook.runtimes.mcp.faults import UnreadableAnswer

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


def read_result(tool: str, raw: Mapping[str, Any], validator: Validator | None) -> McpResult:
    """Return what a tool answered; ``raw`` is the result as the protocol writes it.

    Raises:
        UnreadableAnswer: it is no result of a tool.
        ToolAnswerInvalid: its structured content is against its own output schema, or missing.
    """
    structured = raw.get("structuredContent")
    is_error = raw.get("isError", False)
    if not isinstance(is_error, bool) or not isinstance(structured, dict | None):
        raise UnreadableAnswer("it is no result of a tool")
    made = McpResult(texts=_texts(raw.get("content")), structured=structured, is_error=is_error, tool=tool)
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


def _texts(content: Any) -> tuple[str, ...]:
    if not isinstance(content, list):
        raise UnreadableAnswer("it is no result of a tool: its content is no list")
    texts = []
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or (kind == "text" and not isinstance(block.get("text"), str)):
            raise UnreadableAnswer("it is no result of a tool: a block of its content is none")
        if kind == "text":
            texts.append(block["text"])
    return tuple(texts)


def _floats(value: Any) -> Any:
    """Return what a schema can be held against: its bounds are floats."""
    if isinstance(value, dict):
        return {key: _floats(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_floats(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value

"""The tools of the wire, its errors, and the schema file beside the page."""

from __future__ import annotations

import json

from gatehook.kinds.kind import Kind
from gatehook.wire.errors import CODES
from gatehook.wire.schemas import wire_schema
from gatehook.wire.tools import Tool
from gatehook.wire.tools import tool_table
from generating.tables import code
from generating.tables import prose
from generating.tables import table


def tools() -> str:
    """Return every tool: its arguments, and whether it trades."""
    rows = [(code(one.name), _arguments(one), _effect(one), prose(one.summary)) for one in tool_table(Kind).values()]
    return table(("tool", "arguments (optional ones in brackets)", "effect", "what it does"), rows)


def _arguments(tool: Tool) -> str:
    return ", ".join(f"[{code(name)}]" if name in tool.defaults else code(name) for name in tool.parameters)


def _effect(tool: Tool) -> str:
    return "trades" if tool.trades else "reads" if tool.reads else "writes" if tool.kind else ""


def errors() -> str:
    """Return every code that keeps its class on the other side."""
    rows = [
        (code(word), code(cls.category), code(cls.retry), prose(" ".join((cls.__doc__ or "").split("\n\n")[0].split())))
        for word, cls in sorted(CODES.items(), key=lambda one: (str(one[1].category), one[0]))
    ]
    return table(("code", "category", "retry", "what it says"), rows)


def schema_file() -> str:
    """Return the text of ``docs/wire.schema.json``."""
    return json.dumps(wire_schema(), indent=1, ensure_ascii=False) + "\n"

"""The table of what the runtimes here can run; admission is given it, and says ``incompatible`` for the rest."""

from __future__ import annotations

from typing import Final

#: The values of a manifest entry's ``runtime`` that are served.
SERVED: Final = frozenset({"python.module", "external.mcp"})

"""Loaded into a run that only asks which statements are skipped: the long ones do little."""

from __future__ import annotations

import os

from gatehook.testing.memory_statements import MemoryStatements

MemoryStatements.kills = 1
MemoryStatements.fuzz = 5
MemoryStatements.bulk = 20
os.environ.setdefault("GATEHOOK_MEMORY_KILLS", "1")

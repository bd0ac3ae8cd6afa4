"""Whatever is halted, resumed, crashed or failed in any order: what is halted stays so until it is resumed."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.diagnostics import GatehookError
from gatehook.guard.halt import Halt

SCOPES = st.sampled_from(["all", "entry:venue", "account:venue/main", "subscription:copy"])
ENDS = st.sampled_from(["well", "crash before the rename", "crash after the rename", "disk full"])
STEPS = st.lists(st.tuples(st.sampled_from(["halt", "resume", "restart"]), SCOPES, ENDS), max_size=12)


class Crashed(BaseException):
    """The process is gone."""


def failing(end):
    """Let the write of a record end so."""
    replace = Path.replace

    def ends(self, target):
        if end == "disk full":
            raise OSError(errno.ENOSPC, "No space left on device")
        if end == "crash after the rename":
            replace(self, target)
        raise Crashed

    return patch.object(Path, "replace", replace if end == "well" else ends)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_a_halted_scope_is_lifted_by_its_resume_alone(steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "halt.json"
        gateway = Halt(path)
        on_disk, in_memory, unsure = set(), set(), set()
        for what, scope, end in steps:
            try:
                with failing(end):
                    if what == "halt":
                        in_memory.add(scope)
                        if gateway.halt(scope, reason="r", by="t") is None:
                            on_disk |= in_memory
                            unsure -= in_memory
                    elif what == "resume":
                        try:
                            gateway.resume(scope, by="t")
                        except GatehookError:
                            continue
                        for one in (on_disk, in_memory, unsure):
                            one.discard(scope)
                    else:
                        raise Crashed
            except Crashed:
                # what a resume did before the crash, and what a halt did not do, nobody was told
                if what == "resume":
                    on_disk.discard(scope)
                gateway, in_memory = Halt(path), set()
            halted = {record.scope for record in gateway.records}
            assert on_disk | in_memory <= halted

"""What a gateway's process changes in its interpreter, it changes back."""

from __future__ import annotations

import gc
import sys

from gatehook.cli.responsive import SWITCH
from gatehook.cli.responsive import responsive_loop


def test_threads_give_way_sooner_and_what_is_there_is_not_collected_again():
    # An interpreter may have frozen some objects of its own; they are let go with the others.
    interval, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    with responsive_loop():
        assert sys.getswitchinterval() <= SWITCH * 1.01
        assert gc.get_freeze_count() > frozen + 1_000
    assert sys.getswitchinterval() == interval
    assert gc.get_freeze_count() <= frozen

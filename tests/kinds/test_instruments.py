from __future__ import annotations

import pytest

from gatehook import InstrumentId
from gatehook.kinds.instruments import InstrumentStatus


def test_an_instrument_id_splits_at_the_last_dot():
    assert InstrumentId.parse("EURUSD.m.ICM") == InstrumentId("EURUSD.m", "ICM")
    assert str(InstrumentId("EURUSD.m", "ICM")) == "EURUSD.m.ICM"


@pytest.mark.parametrize("text", ["", "EURUSD", ".ICM", "EURUSD.", " EURUSD.ICM", "EURUSD.ICM "])
def test_an_instrument_id_needs_a_symbol_and_a_venue(text):
    with pytest.raises(ValueError, match="not an instrument"):
        InstrumentId.parse(text)


def test_an_unknown_status_of_an_instrument_is_tolerated():
    assert InstrumentStatus("auction") is InstrumentStatus.UNKNOWN

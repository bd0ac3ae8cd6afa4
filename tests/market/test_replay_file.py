"""From a file to rows: formats, exact values, and every unusable row named."""

from contextlib import suppress
from datetime import UTC
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from builtin_plugins.replay.bars import end_of
from builtin_plugins.replay.bars import infer_timeframe
from builtin_plugins.replay.moments import moment
from builtin_plugins.replay.recording import read_recording
from builtin_plugins.replay.settings import Settings
from gatehook.diagnostics import GatehookError
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND

ATHENS = ZoneInfo("Europe/Athens")
HEADER = "Time,Open,High,Low,Close,Volume\n"
GOOD = "2024-01-01 00:00,1.1,1.2,1.0,1.15,10\n2024-01-01 01:00,1.15,1.25,1.1,1.2,11\n"


def read(tmp_path, text, **config):
    path = tmp_path / "EURUSD.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_recording(Settings.of({"file": str(path), **config}))


def refused(tmp_path, text, **config):
    with pytest.raises(GatehookError) as caught:
        read(tmp_path, text, **config)
    return caught.value.diagnostics


def ns(*when, zone=UTC, fold=0):
    return int(datetime(*when, tzinfo=zone, fold=fold).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-04-19 09:00:00", ns(2017, 4, 19, 9)),
        ("2017-04-19T09:00:00Z", ns(2017, 4, 19, 9)),
        ("2017-04-19T09:00:00+02:00", ns(2017, 4, 19, 7)),
        ("2017-04-19T09:00:00-0530", ns(2017, 4, 19, 14, 30)),
        ("2017-04-19 09:00:00.25 UTC", ns(2017, 4, 19, 9) + SECOND // 4),
        ("2017.04.19 09:00", ns(2017, 4, 19, 9)),
        ("2017/4/9", ns(2017, 4, 9)),
        ("19.04.2017 09:00:00.000", ns(2017, 4, 19, 9)),
        ("20170419 090000", ns(2017, 4, 19, 9)),
        ("20170419", ns(2017, 4, 19)),
        ("1492592400", ns(2017, 4, 19, 9)),
        ("1492592400.5", ns(2017, 4, 19, 9) + SECOND // 2),
        ("1492592400123", ns(2017, 4, 19, 9) + 123_000_000),
        ("1492592400123456", ns(2017, 4, 19, 9) + 123_456_000),
        ("1492592400123456789", ns(2017, 4, 19, 9) + 123_456_789),
    ],
)
def test_times_are_read_as_files_write_them(text, expected):
    assert moment(text, ZoneInfo("UTC")) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "04/19/2017", "2017-13-01", "2017-02-30", "2017-04-19 25:00", "12"])
def test_other_texts_are_no_times(text):
    with pytest.raises(ValueError):
        moment(text, ZoneInfo("UTC"))


def test_a_time_without_an_offset_is_in_the_configured_zone():
    assert moment("2024-07-01 12:00", ATHENS) == ns(2024, 7, 1, 9)
    assert moment("2024-01-01 12:00", ATHENS) == ns(2024, 1, 1, 10)


def test_a_time_that_clocks_skip_is_refused_and_one_they_show_twice_is_told_by_its_place():
    with pytest.raises(ValueError, match="never showed 2024-03-31 03:30"):
        moment("2024-03-31 03:30", ATHENS)
    first = moment("2024-10-27 03:30", ATHENS)
    assert first == ns(2024, 10, 27, 0, 30)
    assert moment("2024-10-27 03:30", ATHENS, after=first) == first + HOUR


@pytest.mark.parametrize("timeframe", [one for one in Timeframe if one.length])
def test_a_timeframe_is_told_from_the_times_also_over_weekends(timeframe):
    times = [place * timeframe.length for place in (0, 1, 2, 3, 70, 71, 72)]
    assert infer_timeframe(times) is timeframe


@pytest.mark.parametrize(
    ("distance", "timeframe"), [(DAY, "1d"), (23 * HOUR, "1d"), (7 * DAY, "1w"), (30 * DAY, "1mn"), (31 * DAY, "1mn")]
)
def test_days_weeks_and_months_are_told_too(distance, timeframe):
    assert infer_timeframe([0, distance, 2 * distance]) == timeframe


def test_daily_and_longer_bars_end_by_the_calendar_of_their_zone():
    def midnight(*day):
        return ns(*day, zone=ATHENS)

    assert end_of(midnight(2024, 3, 31), Timeframe.D1, ATHENS) == midnight(2024, 4, 1)
    assert midnight(2024, 4, 1) - midnight(2024, 3, 31) == 23 * HOUR
    assert end_of(midnight(2024, 10, 21), Timeframe.W1, ATHENS) == midnight(2024, 10, 28)
    assert end_of(midnight(2024, 2, 1), Timeframe.MN1, ATHENS) == midnight(2024, 3, 1)
    assert end_of(midnight(2024, 12, 1), Timeframe.MN1, ATHENS) == midnight(2025, 1, 1)
    assert end_of(0, Timeframe.H4, ATHENS) == 4 * HOUR


@pytest.mark.parametrize(
    "text",
    [
        HEADER + GOOD,
        "\ufeff" + HEADER + GOOD,
        HEADER.replace("Time", "") + GOOD,
        (HEADER + GOOD).replace(",", ";"),
        "Gmt time,Open,High,Low,Close,Volume\n" + GOOD,
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n"
        + GOOD.replace("2024-01-01 ", "2024.01.01\t").replace(",", "\t"),
        (HEADER + GOOD).replace("\n", "\r\n") + "\r\n",
    ],
    ids=["plain", "bom", "unnamed index", "semicolons", "dukascopy", "metatrader", "crlf"],
)
def test_common_candle_files_are_read_alike(tmp_path, text):
    recording = read(tmp_path, text)
    assert recording.timeframe is Timeframe.H1
    assert recording.price_increment == Decimal("0.01")
    assert [(row.begin, row.end) for row in recording.rows] == [
        (ns(2024, 1, 1, 0), ns(2024, 1, 1, 1)),
        (ns(2024, 1, 1, 1), ns(2024, 1, 1, 2)),
    ]
    assert [str(price) for price in recording.rows[0].prices] == ["1.1", "1.2", "1.0", "1.15"]
    assert recording.rows[0].sizes == (Decimal(10),)


def test_ticks_are_told_from_the_header(tmp_path):
    recording = read(tmp_path, "timestamp,bid,ask,bidVolume\n1704067200123,1.1,1.2,5\n1704067200123,1.10001,1.2,6\n")
    assert recording.timeframe is None
    assert recording.price_increment == Decimal("0.00001")
    assert [row.begin == row.end == 1704067200123 * 10**6 for row in recording.rows] == [True, True]
    assert recording.rows[1].sizes == (Decimal(6), None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("nonsense,1,1,1,1,1", "not a time"),
        ("2024-01-01 02:00,1,1,1,1", "5 fields, the header 6"),
        ("2024-01-01 02:00,1,1,1,x,1", "not a decimal number: 'x'"),
        ("2024-01-01 02:00,1,1,1,nan,1", "not a decimal number: 'nan'"),
        ("2024-01-01 02:00,1,1,1,1_0,1", "not a decimal number"),
        ("2024-01-01 02:00,1,1,1,,1", "not a decimal number: ''"),
        ("2024-01-01 02:00,0,1,0,1,1", "not above zero"),
        ("2024-01-01 02:00,-1,1,-1,1,1", "not above zero"),
        ("2024-01-01 02:00,1,2,3,1,1", "outside low and high"),
        ("2024-01-01 02:00,1,1,1,2,1", "outside low and high"),
        ("2024-01-01 02:00,1,1,1,1,-1", "below zero"),
        ("2024-01-01 01:00,1,1,1,1,1", "repeats the time of line 3"),
        ("2023-12-31 23:00,1,1,1,1,1", "before that of line 3"),
        ("2024-01-01 01:30,1,1,1,1,1", "before the 1h candle of line 3 ends"),
    ],
)
def test_an_unusable_row_is_refused_by_its_line_or_skipped(tmp_path, row, why):
    text = HEADER + GOOD + row + "\n2024-01-01 05:00,1,1,1,1,1\n"
    (diagnostic,) = refused(tmp_path, text, timeframe="1h")
    assert (diagnostic.code, diagnostic.line) == ("market.bad-row", 4)
    assert why in diagnostic.message
    recording = read(tmp_path, text, timeframe="1h", bad_rows="skip")
    assert [row.line for row in recording.rows] == [2, 3, 5]
    (skipped,) = recording.skipped
    assert (skipped.code, skipped.line) == ("market.row-skipped", 4)


def test_all_bad_rows_are_named_up_to_twenty(tmp_path):
    text = HEADER + GOOD + "bad\n" * 50
    diagnostics = refused(tmp_path, text)
    assert [one.line for one in diagnostics] == list(range(4, 24))


def test_a_price_off_the_configured_step_is_refused(tmp_path):
    (diagnostic, *_) = refused(tmp_path, HEADER + GOOD, price_increment="0.1")
    assert "1.15 is off the price_increment 0.1" in diagnostic.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "market.unknown-columns"),
        ("Time,Open,High,Close\n1,1,1,1\n", "market.unknown-columns"),
        ("Time,Bid\n1,1\n", "market.unknown-columns"),
        (HEADER, "market.no-rows"),
        (HEADER + GOOD.splitlines()[0], "market.timeframe-unclear"),
        (HEADER + GOOD.replace("01:00", "00:07"), "market.timeframe-unclear"),
        (b"\xff\xfe\x00", "market.file-unreadable"),
        ((HEADER + GOOD).encode() + b"\xff\n", "market.file-unreadable"),
    ],
)
@pytest.mark.parametrize("bad_rows", ["refuse", "skip"])
def test_a_file_that_cannot_be_replayed_says_why(tmp_path, text, code, bad_rows):
    assert [one.code for one in refused(tmp_path, text, bad_rows=bad_rows)] == [code]


def test_a_file_that_is_not_there_or_no_file_is_named(tmp_path):
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(GatehookError) as caught:
            read_recording(Settings.of({"file": str(path)}))
        assert caught.value.diagnostics[0].code == "market.file-unreadable"
        assert str(path) in caught.value.diagnostics[0].message


def test_when_every_row_is_skipped_there_is_nothing_to_replay(tmp_path):
    codes = [one.code for one in refused(tmp_path, HEADER + "bad\n", bad_rows="skip")]
    assert codes == ["market.row-skipped", "market.no-rows"]


@pytest.mark.parametrize(
    "config", [{"timezone": "Mars/Base"}, {"timezone": ""}, {"size_increment": "0"}, {"price_increment": "0.00"}]
)
def test_a_configuration_that_cannot_be_is_refused(config):
    with pytest.raises(GatehookError) as caught:
        Settings.of({"file": "x.csv", **config})
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "market.bad-setting"
    assert next(iter(config)) in diagnostic.message


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=300), skip=st.sampled_from(["skip", "refuse"]))
def test_any_bytes_are_read_or_refused_with_a_diagnostic(tmp_path_factory, data, skip):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(HEADER.encode() + GOOD.encode() + data)
    with suppress(GatehookError):
        recording = read_recording(Settings.of({"file": str(path), "bad_rows": skip}))
        assert [row.begin for row in recording.rows] == sorted(row.begin for row in recording.rows)

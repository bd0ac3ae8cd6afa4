from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.runtimes.mcp.frames import Events
from gatehook.runtimes.mcp.frames import Frames
from gatehook.runtimes.mcp.frames import LongFrame
from gatehook.runtimes.mcp.messages import Unreadable
from gatehook.runtimes.mcp.messages import answered_by
from gatehook.runtimes.mcp.messages import decode
from gatehook.runtimes.mcp.messages import encode


def cut(data, places):
    places = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@given(st.lists(st.binary(max_size=30).map(lambda one: one.replace(b"\n", b""))), st.lists(st.integers(0, 1000)))
@settings(max_examples=60)
def test_lines_are_the_same_however_the_bytes_come(lines, places):
    frames = Frames(10)
    found = [frame for part in cut(b"".join(one + b"\n" for one in lines), places) for frame in frames.feed(part)]
    kept = [one for one in lines if one]
    assert [one.size if isinstance(one, LongFrame) else one for one in found] == [
        len(one) if len(one) > 10 else one for one in kept
    ]


@given(st.lists(st.integers(0, 10_000)))
@settings(max_examples=40)
def test_of_a_long_line_the_two_ends_are_kept(places):
    line = b"head" + bytes(5000) + b"tail"
    frames = Frames(100)
    (found,) = [frame for part in cut(line + b"\n", places) for frame in frames.feed(part)]
    assert found.size == len(line)
    assert found.head == line[:1024]
    assert found.tail == line[-1024:]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@given(places=st.lists(st.integers(0, 1000)))
@settings(max_examples=40)
def test_events_are_the_same_however_the_bytes_come(end, places):
    text = (
        b": hello\n\nevent: endpoint\ndata: /messages\n\ndata: a\ndata: b\nid: 7\nretry: 20\n\ndata:"
        + b"x" * 200
        + b"\n\n"
    )
    events = Events(100)
    found = [event for part in cut(text.replace(b"\n", end), places) for event in events.feed(part)]
    assert [(one.name, one.event_id, one.retry) for one in found] == [
        ("endpoint", None, None),
        ("message", "7", 20),
        ("message", None, None),
    ]
    assert [one.data for one in found[:2]] == [b"/messages", b"a\nb"]
    assert isinstance(found[2].data, LongFrame)


@pytest.mark.parametrize(
    ("message", "request_id"),
    [
        ({"jsonrpc": "2.0", "id": 7, "result": {}}, 7),
        ({"id": "x-1", "jsonrpc": "2.0", "result": {}}, "x-1"),
        ({"jsonrpc": "2.0", "result": {"id": 3}, "id": 9}, 9),
        ({"result": {"id": 3, "jsonrpc": "2.0"}, "id": 9, "jsonrpc": "2.0"}, 9),
        ({"jsonrpc": "2.0", "result": {"id": 3}}, None),
        ({"jsonrpc": "2.0", "method": "x", "params": {"id": 3}}, None),
    ],
)
def test_the_request_that_a_long_message_answers_is_found_at_its_ends(message, request_id):
    data = json.dumps(message).encode()
    assert answered_by(data[:1024], data[-1024:]) == request_id


@pytest.mark.parametrize("data", [b"[]", b"1", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_unreadable(data):
    with pytest.raises(Unreadable):
        decode(data)


def test_a_message_is_one_line():
    assert encode({"a": "x\ny\u2028", "b": 1.5}) == b'{"a":"x\\ny\\u2028","b":1.5}'

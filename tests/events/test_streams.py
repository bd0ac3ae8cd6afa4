"""The stream between a provider and its consumer: order, loss that shows, ends and errors."""

import anyio
import pytest

from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Sink
from gatehook.kinds.streams import open_stream

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def sink_of(overflow, buffer=4, key=None):
    return Sink(overflow=overflow, buffer=buffer, key=key or (lambda item: None))


async def read_all(sink):
    """Read a sink that has ended."""
    read = []
    try:
        while True:
            read.append((await sink.next_item())[0])
    except StopAsyncIteration:
        return read


async def test_items_come_in_order_and_the_cursor_is_that_of_the_last_one_read():
    async def run(sink):
        for number in range(3):
            sink.put(number, f"c{number}")

    async with open_stream(run, overflow=Overflow.ERROR, buffer=10, after="start") as items:
        assert items.cursor == "start"
        assert await anext(items) == 0
        assert items.cursor == "c0"
        assert [item async for item in items] == [1, 2]
        assert items.cursor == "c2"


async def test_drop_oldest_says_how_many_where_they_were():
    sink = sink_of(Overflow.DROP_OLDEST, buffer=3)
    for number in range(10):
        sink.put(number)
    sink.end()
    assert await read_all(sink) == [Gap(reason="overflow", lost=7), 7, 8, 9]
    assert sink.dropped == 7


async def test_a_buffer_of_one_keeps_the_newest():
    sink = sink_of(Overflow.DROP_OLDEST, buffer=1)
    for number in range(5):
        sink.put(number)
    sink.end()
    assert await read_all(sink) == [Gap(reason="overflow", lost=4), 4]


async def test_losing_a_gap_of_unknown_size_makes_the_loss_unknown():
    sink = sink_of(Overflow.DROP_OLDEST, buffer=2)
    for item in (Gap(reason="disconnected"), 1, 2, 3):
        sink.put(item)
    sink.end()
    assert await read_all(sink) == [Gap(reason="overflow", lost=None), 2, 3]


async def test_losing_a_gap_of_known_size_adds_it():
    sink = sink_of(Overflow.DROP_OLDEST, buffer=2)
    for item in (Gap(reason="x", lost=5), 1, 2, 3):
        sink.put(item)
    sink.end()
    assert await read_all(sink) == [Gap(reason="overflow", lost=6), 2, 3]


async def test_error_gives_what_waits_and_then_the_overflow():
    sink = sink_of(Overflow.ERROR, buffer=2)
    sink.put(1)
    sink.put(2)
    with pytest.raises(StreamOverflow, match="2 items behind"):
        sink.put(3)
    sink.put(4)  # after the end nothing happens
    assert [(await sink.next_item())[0] for _ in range(2)] == [1, 2]
    with pytest.raises(StreamOverflow):
        await sink.next_item()


def by_letter(item):
    return item[0] if isinstance(item, str) and item[0].islower() else None


async def test_conflation_replaces_in_place_and_counts():
    sink = sink_of(Overflow.CONFLATE, buffer=10, key=by_letter)
    for item in ("a1", "b1", "a2", "b2", "a3"):
        sink.put(item)
    sink.end()
    assert await read_all(sink) == ["a3", "b2"]
    assert sink.conflated == 3
    assert sink.dropped == 0


async def test_nothing_is_conflated_past_an_item_that_never_is():
    sink = sink_of(Overflow.CONFLATE, buffer=10, key=by_letter)
    for item in ("a1", "TRADE", "a2", Gap(reason="x"), "a3"):
        sink.put(item)
    sink.end()
    assert await read_all(sink) == ["a1", "TRADE", "a2", Gap(reason="x"), "a3"]


async def test_a_conflated_item_keeps_the_older_cursor_so_that_nothing_is_missed_on_resume():
    sink = sink_of(Overflow.CONFLATE, buffer=10, key=by_letter)
    for place, item in enumerate(("a1", "b1", "a2")):
        sink.put(item, str(place))
    assert await sink.next_item() == ("a2", "0")
    assert await sink.next_item() == ("b1", "1")


async def test_what_was_read_is_not_replaced():
    sink = sink_of(Overflow.CONFLATE, buffer=10, key=by_letter)
    sink.put("a1")
    assert await sink.next_item() == ("a1", None)
    sink.put("a2")
    assert await sink.next_item() == ("a2", None)
    assert sink.conflated == 0


async def test_a_batch_has_everything_that_waits():
    sink = sink_of(Overflow.DROP_OLDEST, buffer=3)
    for number in range(5):
        sink.put(number)
    assert await sink.next_batch() == [Gap(reason="overflow", lost=2), 2, 3, 4]
    sink.put(5)
    assert await sink.next_batch() == [5]
    sink.end()
    with pytest.raises(StopAsyncIteration):
        await sink.next_batch()


async def test_drained_waits_for_a_consumer_that_asks_for_more():
    sink = sink_of(Overflow.ERROR, buffer=10)
    log = []

    async def consume():
        for _ in range(2):
            item, _ = await sink.next_item()
            await anyio.lowlevel.checkpoint()
            log.append(item)
        await sink.next_item()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        sink.put(1)
        sink.put(2)
        await sink.drained()
        assert log == [1, 2]
        sink.put(3)


async def test_several_tasks_may_wait_for_drained():
    sink = sink_of(Overflow.ERROR, buffer=10)
    done = []

    async def wait(name):
        await sink.drained()
        done.append(name)

    async def consume():
        await sink.next_item()
        await sink.next_item()

    sink.put(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, "first")
        tasks.start_soon(wait, "second")
        await anyio.wait_all_tasks_blocked()
        assert done == []
        tasks.start_soon(consume)
        await anyio.wait_all_tasks_blocked()
        assert sorted(done) == ["first", "second"]
        sink.put(2)


async def test_a_cancelled_consumer_is_not_waiting_any_more():
    sink = sink_of(Overflow.ERROR, buffer=10)
    with anyio.move_on_after(0):
        await sink.next_item()
    assert not sink.idle
    sink.put(1)
    assert await sink.next_item() == (1, None)


async def test_the_end_releases_who_waits_for_drained():
    sink = sink_of(Overflow.ERROR, buffer=10)
    sink.put(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sink.drained)
        await anyio.wait_all_tasks_blocked()
        sink.end()


async def test_two_readers_of_one_stream_are_refused():
    sink = sink_of(Overflow.ERROR, buffer=10)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sink.next_item)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.BusyResourceError):
            await sink.next_item()
        sink.put(1)


async def test_a_producers_error_comes_after_its_items_and_as_itself():
    async def run(sink):
        sink.put(1)
        raise OSError("the line is down")

    async with open_stream(run, overflow=Overflow.ERROR, buffer=10) as items:
        assert await anext(items) == 1
        with pytest.raises(OSError, match="the line is down"):
            await anext(items)


async def test_a_producers_error_leaves_the_block_as_itself():
    async def run(sink):
        raise OSError("the line is down")

    async def read():
        async with open_stream(run, overflow=Overflow.ERROR, buffer=10) as items:
            await anext(items)

    with pytest.raises(OSError, match="the line is down"):
        await read()


async def test_a_consumers_error_is_not_wrapped():
    with pytest.raises(KeyError):
        async with open_stream(lambda sink: anyio.sleep_forever(), overflow=Overflow.ERROR, buffer=10):
            raise KeyError("mine")


async def test_leaving_the_block_ends_the_producer():
    ended = []

    async def run(sink):
        try:
            sink.put(1)
            await anyio.sleep_forever()
        finally:
            sink.put(2)
            ended.append(True)

    async with open_stream(run, overflow=Overflow.ERROR, buffer=10) as items:
        assert await anext(items) == 1
    assert ended == [True]


async def test_cancelling_the_consumer_leaves_nothing_behind():
    ended = anyio.Event()

    async def run(sink):
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    with anyio.move_on_after(0.01) as scope:
        async with open_stream(run, overflow=Overflow.ERROR, buffer=10) as items:
            await anext(items)
    assert scope.cancelled_caught
    assert ended.is_set()


def test_a_buffer_holds_at_least_one_item():
    with pytest.raises(ValueError, match="at least one"):
        sink_of(Overflow.ERROR, buffer=0)

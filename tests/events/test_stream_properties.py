"""What holds for every flow of items through a stream's buffer: nothing is lost unseen, and nothing changes places."""

import anyio
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Sink


def key_of(item):
    """Small letters replace each other."""
    return item[0] if not isinstance(item, Gap) and item[0].islower() else None


class Flow:
    """Puts and reads numbered letters, and keeps what was read."""

    def __init__(self, overflow, buffer):
        self.sink = Sink(overflow=overflow, buffer=buffer, key=key_of)
        self.put = 0
        self.items = []
        self.lost = 0

    async def act(self, action):
        if action != "read":
            self.put += 1
            self.sink.put((action, self.put))
        elif self.put > len(self.items) + self.sink.dropped + self.sink.conflated:
            await self.read()

    async def read(self):
        item, _ = await self.sink.next_item()
        if isinstance(item, Gap):
            self.lost += item.lost
        else:
            self.items.append(item)

    async def drain(self):
        self.sink.end()
        try:
            while True:
                await self.read()
        except StopAsyncIteration:
            return


@settings(deadline=None)
@given(
    actions=st.lists(st.one_of(st.just("read"), st.sampled_from("aabbXYZ")), max_size=60),
    buffer=st.integers(1, 5),
    overflow=st.sampled_from([Overflow.CONFLATE, Overflow.DROP_OLDEST]),
)
def test_every_item_is_read_in_order_or_counted(actions, buffer, overflow):
    async def play():
        flow = Flow(overflow, buffer)
        for action in actions:
            await flow.act(action)
        await flow.drain()
        assert flow.lost == flow.sink.dropped
        assert len(flow.items) + flow.lost + flow.sink.conflated == flow.put
        for letter in "abXYZ":
            own = [number for name, number in flow.items if name == letter]
            assert own == sorted(own)
        kept = [number for name, number in flow.items if name.isupper()]
        assert kept == sorted(kept)

    anyio.run(play)


@settings(deadline=None)
@given(actions=st.lists(st.one_of(st.just("read"), st.sampled_from("abXY")), max_size=40))
def test_resuming_from_any_cursor_misses_nothing_that_was_not_replaced(actions):
    """A reader that stops anywhere and starts again after its cursor sees the newest of every letter."""

    async def play():
        sink = Sink(overflow=Overflow.CONFLATE, buffer=100, key=key_of)
        written, cursor, seen = [], 0, set()
        waiting = 0
        for action in actions:
            if action != "read":
                written.append(action)
                before = sink.conflated
                sink.put((action, len(written)), str(len(written)))
                waiting += sink.conflated == before
            elif waiting:
                (_, number), position = await sink.next_item()
                waiting -= 1
                seen.add(number)
                cursor = max(cursor, int(position))
        for number in range(1, cursor + 1):
            replaced = any(written[later] == written[number - 1] for later in range(number, len(written)))
            assert number in seen or (replaced and written[number - 1].islower())

    anyio.run(play)

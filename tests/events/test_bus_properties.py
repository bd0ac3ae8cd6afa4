"""What holds for every sequence of publications: order within a partition, and one event an id."""

import anyio
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.events import EventBus
from gatehook.kinds.streams import Gap

publications = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["news.a", "news.b"]), st.none() | st.integers(0, 8)), max_size=60
)


@settings(deadline=None)
@given(publications=publications, buffer=st.integers(1, 80))
def test_order_is_kept_within_a_partition_and_an_id_comes_once(publications, buffer):
    async def play():
        bus = EventBus()
        with bus.subscribe("news.*", buffer=buffer) as subscription:
            for symbol, topic, number in publications:
                bus.publish(topic, {}, source="x", symbol=symbol, event_id=None if number is None else str(number))
        batch = await subscription.batch()
        events = [item for item in batch if not isinstance(item, Gap)]
        lost = sum(item.lost for item in batch if isinstance(item, Gap))
        fresh = [number for _, _, number in publications if number is not None]
        assert len(events) + lost == len(publications) - len(fresh) + len(set(fresh))
        assert len({event.event_id for event in events}) == len(events)
        for symbol in "AB":
            sequences = [event.sequence for event in events if event.symbol == symbol]
            assert sequences == sorted(set(sequences))
            if lost == 0:
                assert sequences == list(range(1, len(sequences) + 1))

    anyio.run(play)

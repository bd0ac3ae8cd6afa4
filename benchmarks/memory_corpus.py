"""Documents whose words are as unevenly frequent as in real text."""

from __future__ import annotations

import random

from gatehook.kinds.memory import MemoryDoc

# The commonest words of a language are no words of a query (stop words): the vocabulary starts behind so many of them.
COMMON = 100


def words(rng: random.Random, count: int) -> list[str]:
    """Make a vocabulary."""
    syllables = ("ba", "co", "di", "fu", "ga", "ho", "ki", "lu", "ma", "ne", "po", "ra", "si", "tu", "ve", "wo")
    return ["".join(rng.choices(syllables, k=rng.randrange(2, 5))) for _ in range(count)]


def documents(rng: random.Random, count: int, namespaces: int) -> tuple[list[MemoryDoc], list[str]]:
    """Make documents of about 500 characters whose words are as unevenly frequent as in real text."""
    vocabulary = words(rng, 20_000)
    weights = [1 / (rank + COMMON) for rank in range(len(vocabulary))]
    pool = rng.choices(vocabulary, weights, k=1_000_000)
    made = []
    symbols = [{"symbol": f"S{number}"} for number in range(50)]
    for number in range(count):
        start = rng.randrange(len(pool) - 100)
        text = " ".join(pool[start : start + rng.randrange(55, 85)])
        namespace = ("agent", f"n{number % namespaces}")
        made.append(MemoryDoc(id=f"d{number}", text=text, namespace=namespace, ts=number, meta=symbols[number % 50]))
    return made, pool

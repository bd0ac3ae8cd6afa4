"""The bytes of a file as text, and text as lines."""

from __future__ import annotations

import codecs
import re
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with the mark of UTF-16, so it is asked for first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END: Final = re.compile(r"\r\n?|\n")


class NotText(Exception):
    """A file's bytes are no text; the message says why, without quoting them."""


def text_of(data: bytes) -> str:
    """Return what a file says: UTF-8, or what its byte order mark names. The mark is no part of the text.

    Raises:
        NotText: for another encoding, and for binary data.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    return _decoded(data, "utf-8")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotText(f"it is not {encoding.upper()} text (byte {error.start})") from None
    if "\0" in text:
        raise NotText("it has null bytes, so it is no text")
    return text


def lines_of(text: str) -> list[str]:
    """Return the lines of a text without their ends: LF, CR LF or CR. After the last end there is no line."""
    lines = _LINE_END.split(text)
    if not lines[-1]:
        lines.pop()
    return lines

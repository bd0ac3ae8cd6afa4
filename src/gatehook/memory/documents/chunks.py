"""A file's text divided by its headings into chunks: every line is in one of them, and each can be cited."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.memory.documents.front_matter import FrontMatter
from gatehook.memory.documents.front_matter import front_matter_of
from gatehook.memory.documents.outline import Heading
from gatehook.memory.documents.outline import Outline
from gatehook.memory.documents.outline import outline_of
from gatehook.memory.documents.packing import spans
from gatehook.memory.documents.texts import lines_of

#: How many characters a chunk has at most: some 500 words, what embedding models take in at once.
LARGEST: Final = 2_000
#: A path longer than this stands in ids by its digest: an id has at most 1,000 characters.
_LONGEST_PATH: Final = 800


@attrs.frozen(kw_only=True)
class Chunk:
    """A part of a file.

    Attributes:
        id: stable while the file keeps its path and the chunk its headings and its place below them.
        trail: the headings it stands below, outermost first; empty above the first.
        first: its first line, counted from 1.
        last: its last line. The pieces of one line that is too long have the same.
        text: what stands there, line ends as LF.
        previous: the id of the chunk before it below the same heading.
    """

    id: str
    trail: tuple[str, ...]
    first: int
    last: int
    text: str
    previous: str | None = None


@attrs.frozen
class _Section:
    """Lines below one heading, up to the next; without a body it has only the heading."""

    trail: tuple[str, ...]
    level: int
    first: int
    end: int
    has_body: bool


def chunks_of(path: str, text: str, *, front: FrontMatter | None = None, largest: int = LARGEST) -> tuple[Chunk, ...]:
    """Divide the text of the file at ``path`` (relative to its folder, part of the ids) into chunks.

    What is read of its front matter (``front``, where it is read already) is no text; a title goes with the section
    below it, as a heading without a body does. A section that is larger than ``largest`` characters is divided between
    its blocks; a code fence or a table is divided only where it is larger by itself.
    """
    given = lines_of(text)
    front = front_matter_of(given) if front is None else front
    lines = front.text_of(given)
    outline = outline_of(lines, front.lines)
    seen: Counter[tuple[str, ...]] = Counter()
    found: list[Chunk] = []
    for section in _joined(_sections(lines, outline, front)):
        seen[section.trail] += 1
        stem = f"{_stem(path)}#{_digest(*section.trail)}-{seen[section.trail]}"
        found += _chunks(stem, section, lines, outline, largest)
    return tuple(found)


def _chunks(stem: str, section: _Section, lines: Sequence[str], outline: Outline, largest: int) -> Iterator[Chunk]:
    previous = None
    for part, span in enumerate(spans(lines, outline.breaks, section.first, section.end, largest), 1):
        chunk = Chunk(
            id=f"{stem}.{part}",
            trail=section.trail,
            first=span.first + 1,
            last=span.end,
            text=span.text(lines),
            previous=previous,
        )
        previous = chunk.id
        yield chunk


def _sections(lines: Sequence[str], outline: Outline, front: FrontMatter) -> Iterator[_Section]:
    above: list[Heading] = []
    starts = [*(heading.first for heading in outline.headings), len(lines)]
    first = next((at for at in range(front.lines) if lines[at].strip()), front.lines)
    if first < starts[0]:
        body = (at for at in range(first, starts[0]) if lines[at].strip() and not front.shown.get(at))
        yield _Section((), 0, first, starts[0], has_body=not front.lines or any(True for _ in body))
    for heading, end in zip(outline.headings, starts[1:], strict=True):
        above = [*(one for one in above if one.level < heading.level), heading]
        has_body = any(line.strip() for line in lines[heading.end : end])
        yield _Section(tuple(one.title for one in above), heading.level, heading.first, end, has_body)


def _joined(sections: Iterator[_Section]) -> Iterator[_Section]:
    """Let a heading without a body stand at the head of the section below it."""
    waiting: _Section | None = None
    for section in sections:
        if waiting is not None and section.level > waiting.level:
            section = attrs.evolve(section, first=waiting.first)  # noqa: PLW2901  the section grows by its head
        elif waiting is not None:
            yield waiting
        waiting = None if section.has_body else section
        if section.has_body:
            yield section
    if waiting is not None:
        yield waiting


def _stem(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f"…{_digest(path)}"


def _digest(*parts: str) -> str:
    return hashlib.blake2b(
        "".join(f"{part}\0" for part in parts).encode(errors="surrogatepass"), digest_size=6
    ).hexdigest()

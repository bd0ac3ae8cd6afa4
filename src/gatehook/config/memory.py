"""``[memory]``: which folders and feeds are remembered, and for how long what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from gatehook.config.settings import Shape
from gatehook.config.settings import about
from gatehook.kinds.feed import NewsKind

#: Where the gateway itself writes: no folder does.
OWN_NAMESPACES: Final = ("trading", "news", "chat")
#: The namespace of a rule for everything.
EVERYTHING: Final = "*"
DURATION: Final = r"[1-9][0-9]{0,5}[smhdw]"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_NS: Final = 1_000_000_000


@attrs.frozen(kw_only=True)
class FolderConfig:
    """One of ``[[memory.folders]]``: a folder whose files are documents. Patterns are of paths below it."""

    path: Path = attrs.field(metadata=about(Shape.PATH, "the folder; it must be given", shown="none"))
    namespace: str = attrs.field(
        default="",
        metadata=about(
            Shape.NAMESPACE, "where its documents are, parts separated by /", shown="documents/<the folder's name>"
        ),
    )
    include: tuple[str, ...] = attrs.field(
        default=("**/*.md", "**/*.markdown", "**/*.txt"),
        metadata=about(Shape.GLOBS, "which files are taken; * stays within a name, ** goes over folders"),
    )
    exclude: tuple[str, ...] = attrs.field(
        default=(), metadata=about(Shape.GLOBS, "which files and folders are left out; stronger than include")
    )
    kind: str = attrs.field(default="document", metadata=about(Shape.TEXT, "the kind of its documents"))
    tags: tuple[str, ...] = attrs.field(default=(), metadata=about(Shape.TEXTS, "tags of all its documents"))

    def __attrs_post_init__(self) -> None:
        if not self.namespace:
            object.__setattr__(self, "namespace", f"documents/{self.path.name or 'root'}")

    @property
    def parts(self) -> tuple[str, ...]:
        """Its namespace as a memory knows it."""
        return tuple(self.namespace.split("/"))


@attrs.frozen(kw_only=True)
class NewsConfig:
    """One of ``[[memory.news]]``: a feed whose items are documents. What is empty is no restriction."""

    feed: str = attrs.field(
        metadata=about(Shape.ID, "an entry that provides feed.external; it must be given", shown="none")
    )
    every: float = attrs.field(
        default=60.0, metadata=about(Shape.SECONDS, "how often it is asked for what is new, in seconds")
    )
    kinds: tuple[NewsKind, ...] = attrs.field(
        default=(), metadata=about(Shape.CHOICES, "only items of these kinds", choices=NewsKind)
    )
    symbols: tuple[str, ...] = attrs.field(
        default=(), metadata=about(Shape.TEXTS, "only items about one of these, as the feed calls them")
    )
    text: str | None = attrs.field(
        default=None, metadata=about(Shape.TEXT, "only items that match this, as the feed sees it")
    )


@attrs.frozen(kw_only=True)
class RetentionConfig:
    """One of ``[[memory.retention]]``: what a namespace, and everything below it, may hold. All rules hold."""

    namespace: str = attrs.field(
        metadata=about(
            Shape.NAMESPACE_OR_ALL,
            'which, parts separated by /; "*" is everything but the records of trading; it must be given',
            shown="none",
        )
    )
    keep: str | None = attrs.field(
        default=None,
        metadata=about(Shape.DURATION, "how long after it happened a document stays; evergreen ones stay for ever"),
    )
    max_documents: int | None = attrs.field(
        default=None, metadata=about(Shape.COUNT, "how many documents there may be; the oldest go")
    )
    max_bytes: int | None = attrs.field(
        default=None, metadata=about(Shape.COUNT, "how many bytes of text there may be; the oldest go")
    )
    spare_evergreen: bool = attrs.field(
        default=False, metadata=about(Shape.SWITCH, "whether evergreen documents stay when there are too many")
    )

    @property
    def parts(self) -> tuple[str, ...]:
        """Its namespace as a memory knows it; empty for everything."""
        return () if self.namespace == EVERYTHING else tuple(self.namespace.split("/"))

    @property
    def keep_ns(self) -> int | None:
        """``keep`` in nanoseconds."""
        return None if self.keep is None else int(self.keep[:-1]) * _SECONDS[self.keep[-1]] * _NS


@attrs.frozen(kw_only=True)
class MemorySection:
    """``[memory]``. Times are seconds.

    Attributes:
        folders: whose files are documents; each has a namespace of its own.
        news: feeds whose items are documents; each feed once.
        retention: what is dropped, and when.
    """

    follow_every: float = attrs.field(
        default=5.0,
        metadata=about(
            Shape.SECONDS, "how often folders are looked at; large ones less often, so that it costs little"
        ),
    )
    max_files: int = attrs.field(
        default=20_000, metadata=about(Shape.COUNT, "how many files of a folder are taken at most")
    )
    max_file_bytes: int = attrs.field(
        default=1_000_000, metadata=about(Shape.COUNT, "a file that is larger is left out")
    )
    folders: tuple[FolderConfig, ...] = ()
    news: tuple[NewsConfig, ...] = ()
    retention: tuple[RetentionConfig, ...] = ()


def misfits(
    folders: tuple[FolderConfig | None, ...],
    news: tuple[NewsConfig | None, ...],
    retention: tuple[RetentionConfig | None, ...],
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys of settings that do not fit together, with what they must be; ``None`` is reported already."""
    yield from _folder_misfits(folders)
    seen: set[str] = set()
    for at, one in enumerate(news):
        if one is not None and one.feed in seen:
            yield ("memory", "news", str(at), "feed"), "a feed that no other table has"
        seen |= set() if one is None else {one.feed}
    for at, rule in enumerate(retention):
        if rule is not None and rule.keep is None and rule.max_documents is None and rule.max_bytes is None:
            yield ("memory", "retention", str(at)), "a table with keep, max_documents or max_bytes"


def _folder_misfits(folders: tuple[FolderConfig | None, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    seen: set[str] = set()
    for at, folder in enumerate(folders):
        key = ("memory", "folders", str(at), "namespace")
        if folder is None:
            continue
        if folder.parts[0] in OWN_NAMESPACES:
            yield key, f"outside of {', '.join(OWN_NAMESPACES)}, where the gateway itself writes"
        elif folder.namespace in seen:
            yield key, "a namespace that no other folder has"
        seen.add(folder.namespace)


def is_duration(text: str) -> bool:
    """Say whether this is a length of time like ``90d``."""
    return re.fullmatch(DURATION, text) is not None

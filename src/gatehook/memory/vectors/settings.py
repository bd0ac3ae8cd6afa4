"""How meaning is used, the same settings in every memory with vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook.memory.fusion import DENSE_WEIGHT

_MEGABYTE: Final = 1_000_000


@attrs.frozen(kw_only=True)
class VectorSettings:
    """How meaning is used.

    Attributes:
        dense_weight: its share of a hybrid score, from 0 to 1. least: what is no nearer (cosine) is no match.
        query_seconds: how long the vector of a query may take. requests_per_hour: the most that documents take.
        longest_text: characters of a document that are embedded. codes_bytes: memory for codes, where there are any.
    """

    dense_weight: float = DENSE_WEIGHT
    least: float = 0.2
    query_seconds: float = 0.3
    requests_per_hour: int = 5_000
    longest_text: int = 6_000
    codes_bytes: int = 256_000_000

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> VectorSettings:
        """Read an entry's configuration, defaults filled in."""
        return cls(
            dense_weight=config["dense_weight"],
            least=config["min_similarity"],
            query_seconds=config["query_timeout_ms"] / 1_000,
            requests_per_hour=config["requests_per_hour"],
            longest_text=config["max_chars"],
            codes_bytes=config.get("codes_mb", 256) * _MEGABYTE,
        )


#: Where nothing is configured.
DEFAULTS: Final = VectorSettings()

"""``config_as``: an entry's configuration as an attrs class; no value is coerced, a secret stays a ``Secret``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from gatehook.kinds.codec import new_converter
from gatehook.secrets import Secret

T = TypeVar("T")


def structure(cls: type[T], config: Mapping[str, Any]) -> T:
    """Build ``cls`` from a configuration.

    Raises:
        ValueError, TypeError: for a wrong type, a missing or unknown key.
    """
    converter = new_converter()
    converter.register_structure_hook(Secret, lambda value, _: _secret(value))
    return converter.structure(config, cls)


def _secret(value: Any) -> Secret:
    if not isinstance(value, Secret):
        raise TypeError("this property is no secret; mark it writeOnly in the configuration schema")
    return value

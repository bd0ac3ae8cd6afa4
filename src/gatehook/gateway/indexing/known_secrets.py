"""What a gateway's redactor knows because entries run, learned without running them. Blocking: for a thread."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from gatehook.config import Config
from gatehook.secrets import Redactor
from gatehook.secrets import Secret
from gatehook.secrets import SecretReference
from gatehook.secrets import SecretUnavailable
from gatehook.secrets import is_secret_name
from gatehook.secrets import reference_in


def learn_secrets(config: Config, redactor: Redactor) -> None:
    """Let ``redactor`` know every secret that a configuration has or refers to, as far as each can be had."""
    for found in _secrets({entry_id: entry.config for entry_id, entry in config.plugins.entries.items()}):
        try:
            redactor.add(found if isinstance(found, Secret) else found.resolve())
        except SecretUnavailable:
            continue  # what is not there stands in no file either


def _secrets(value: Any, name: str = "") -> Iterator[Secret | SecretReference]:
    reference = reference_in(value)
    if reference is not None:
        yield reference
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets(inner, name)
    elif isinstance(value, str) and is_secret_name(name):
        yield Secret(value)

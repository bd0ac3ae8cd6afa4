"""Secrets that must show nowhere."""

from __future__ import annotations

import secrets

import pytest


class Canaries:
    """Makes secrets for a test and knows them all. Called, it returns their values."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._values: list[str] = []

    def __call__(self) -> list[str]:
        """Return the secrets made so far."""
        return list(self._values)

    def make(self, variable: str) -> dict[str, str]:
        """Put a new secret into an environment variable; return the reference to write into a configuration."""
        value = f"canary-{secrets.token_hex(12)}"
        self._values.append(value)
        self._monkeypatch.setenv(variable, value)
        return {"env": variable}

    def check(self, *texts: str) -> None:
        """Fail when one of the texts has one of the secrets; the failure does not repeat it."""
        for text in texts:
            for number, value in enumerate(self._values, 1):
                if value in text:
                    pytest.fail(f"secret number {number} showed", pytrace=False)

"""``register(api)``: what a plugin computes at load is collected apart, and committed only when all of it is right."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gatehook.catalog.manifest import Manifest


@attrs.frozen
class Collector:
    """The ``api`` of one load: no configuration, no secret."""

    manifest: Manifest
    added: list[object] = attrs.field(factory=list)

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self.manifest.id

    @property
    def logger(self) -> logging.Logger:
        """The plugin's logger."""
        return logging.getLogger(f"gatehook.plugin.{self.manifest.id}")

    def add(self, plugin: object) -> None:
        """Collect an object that carries ``@hookimpl`` methods.

        Raises:
            TypeError: for a class; ``add`` takes an instance or a module.
        """
        if isinstance(plugin, type):
            raise TypeError(f"add() takes an object, not the class {plugin.__name__}; add {plugin.__name__}()")
        self.added.append(plugin)

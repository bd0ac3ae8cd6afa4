"""Where ``config_as`` looked; ``gatehook.config.as_class`` has it."""

from gatehook.config.as_class import structure

__all__ = ["structure"]

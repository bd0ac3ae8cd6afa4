"""gatehook.toml: its layers, its checks, and each plugin's own part of it."""

from gatehook.config.loading import config_from
from gatehook.config.loading import find_config
from gatehook.config.loading import load_config
from gatehook.config.loading import parse_config
from gatehook.config.model import Config
from gatehook.config.model import EntryConfig
from gatehook.config.model import Explanation
from gatehook.config.model import GatewaySection
from gatehook.config.model import LoggingSection
from gatehook.config.model import LogLevel
from gatehook.config.model import MarketSection
from gatehook.config.model import PluginsSection
from gatehook.config.model import SupervisionSection
from gatehook.config.model import user_config_file
from gatehook.config.model import user_data_dir
from gatehook.config.sources import Layer
from gatehook.config.sources import Source

__all__ = [
    "Config",
    "EntryConfig",
    "Explanation",
    "GatewaySection",
    "Layer",
    "LogLevel",
    "LoggingSection",
    "MarketSection",
    "PluginsSection",
    "Source",
    "SupervisionSection",
    "config_from",
    "find_config",
    "load_config",
    "parse_config",
    "user_config_file",
    "user_data_dir",
]

"""gatehook.toml: its layers, its checks, and each plugin's own part of it."""

from gatehook.config.dangling import dangling_references
from gatehook.config.editing import UNSET
from gatehook.config.editing import Edit
from gatehook.config.editing import edit_config
from gatehook.config.editing import plan_edit
from gatehook.config.explaining import Row
from gatehook.config.explaining import reference
from gatehook.config.explaining import shown
from gatehook.config.json_schema import config_json_schema
from gatehook.config.layers import parse_value
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
from gatehook.config.plugin_config import NamedEntry
from gatehook.config.plugin_config import ResolvedConfig
from gatehook.config.plugin_config import check_structure
from gatehook.config.plugin_config import entry_references
from gatehook.config.plugin_config import masked
from gatehook.config.plugin_config import named_entries
from gatehook.config.plugin_config import resolve_entry
from gatehook.config.schema_lint import lint_schema
from gatehook.config.schema_lint import unmarked_secrets
from gatehook.config.sources import Layer
from gatehook.config.sources import Source
from gatehook.config.structuring import structure_config

__all__ = [
    "UNSET",
    "Config",
    "Edit",
    "EntryConfig",
    "Explanation",
    "GatewaySection",
    "Layer",
    "LogLevel",
    "LoggingSection",
    "MarketSection",
    "NamedEntry",
    "PluginsSection",
    "ResolvedConfig",
    "Row",
    "Source",
    "SupervisionSection",
    "check_structure",
    "config_from",
    "config_json_schema",
    "dangling_references",
    "edit_config",
    "entry_references",
    "find_config",
    "lint_schema",
    "load_config",
    "masked",
    "named_entries",
    "parse_config",
    "parse_value",
    "plan_edit",
    "reference",
    "resolve_entry",
    "shown",
    "structure_config",
    "unmarked_secrets",
    "user_config_file",
    "user_data_dir",
]

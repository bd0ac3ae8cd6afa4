"""gatehook.toml: its layers, its checks, and each plugin's own part of it. Names are imported when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.config.dangling import dangling_references as dangling_references
    from gatehook.config.editing import UNSET as UNSET
    from gatehook.config.editing import Edit as Edit
    from gatehook.config.editing import edit_config as edit_config
    from gatehook.config.editing import plan_edit as plan_edit
    from gatehook.config.explaining import Row as Row
    from gatehook.config.explaining import reference as reference
    from gatehook.config.explaining import shown as shown
    from gatehook.config.json_schema import config_json_schema as config_json_schema
    from gatehook.config.layers import parse_value as parse_value
    from gatehook.config.loading import config_from as config_from
    from gatehook.config.loading import find_config as find_config
    from gatehook.config.loading import load_config as load_config
    from gatehook.config.loading import parse_config as parse_config
    from gatehook.config.model import Config as Config
    from gatehook.config.model import EntryConfig as EntryConfig
    from gatehook.config.model import Explanation as Explanation
    from gatehook.config.model import GatewaySection as GatewaySection
    from gatehook.config.model import LoggingSection as LoggingSection
    from gatehook.config.model import LogLevel as LogLevel
    from gatehook.config.model import MarketSection as MarketSection
    from gatehook.config.model import PluginsSection as PluginsSection
    from gatehook.config.model import SupervisionSection as SupervisionSection
    from gatehook.config.model import user_config_file as user_config_file
    from gatehook.config.model import user_data_dir as user_data_dir
    from gatehook.config.plugin_config import NamedEntry as NamedEntry
    from gatehook.config.plugin_config import ResolvedConfig as ResolvedConfig
    from gatehook.config.plugin_config import check_structure as check_structure
    from gatehook.config.plugin_config import entry_references as entry_references
    from gatehook.config.plugin_config import masked as masked
    from gatehook.config.plugin_config import named_entries as named_entries
    from gatehook.config.plugin_config import resolve_entry as resolve_entry
    from gatehook.config.schema_lint import lint_schema as lint_schema
    from gatehook.config.schema_lint import unmarked_secrets as unmarked_secrets
    from gatehook.config.sources import Layer as Layer
    from gatehook.config.sources import Source as Source
    from gatehook.config.structuring import structure_config as structure_config
    from gatehook.config.trading import AuditSection as AuditSection
    from gatehook.config.trading import LimitsConfig as LimitsConfig
    from gatehook.config.trading import PermissionRule as PermissionRule
    from gatehook.config.trading import Permit as Permit
    from gatehook.config.trading import RiskClass as RiskClass
    from gatehook.config.trading import TradingSection as TradingSection

__all__, __getattr__, __dir__ = lazy_exports(  # tested against the imports above
    __name__,
    {
        "dangling": "dangling_references",
        "editing": "UNSET Edit edit_config plan_edit",
        "explaining": "Row reference shown",
        "json_schema": "config_json_schema",
        "layers": "parse_value",
        "loading": "config_from find_config load_config parse_config",
        "model": (
            "Config EntryConfig Explanation GatewaySection "
            "LoggingSection LogLevel MarketSection PluginsSection SupervisionSection user_config_file user_data_dir"
        ),
        "plugin_config": (
            "NamedEntry ResolvedConfig check_structure entry_references masked named_entries resolve_entry"
        ),
        "schema_lint": "lint_schema unmarked_secrets",
        "sources": "Layer Source",
        "structuring": "structure_config",
        "trading": "AuditSection LimitsConfig PermissionRule Permit RiskClass TradingSection",
    },
)

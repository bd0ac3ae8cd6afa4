"""Codes of gatehook.toml, its layers, and each plugin's own configuration."""

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

UNREADABLE = Code(
    "config.unreadable",
    Severity.ERROR,
    "The configuration file {path} cannot be read: {reason}.",
    "Check the path and its permissions.",
)
TOO_LARGE = Code(
    "config.too-large",
    Severity.ERROR,
    "The configuration is refused: {limit}.",
    "Move data out of the configuration.",
)
INVALID_TOML = Code(
    "config.invalid-toml",
    Severity.ERROR,
    "The configuration is not TOML: {reason}.",
    "Mend the file at this line; https://toml.io has the format.",
)
UNKNOWN_KEY = Code(
    "config.unknown-key",
    Severity.ERROR,
    "There is no setting {key}{hint}.",
    "Correct or remove it; `gatehook config schema` lists every setting.",
)
WRONG_TYPE = Code(
    "config.wrong-type",
    Severity.ERROR,
    "{key} must be {expected}, and is {found}.",
    "Change the value; `gatehook config schema` describes it.",
)
BAD_VALUE = Code(
    "config.bad-value",
    Severity.ERROR,
    "{key} must be {expected}{hint}.",
    "Change the value; `gatehook config schema` describes it.",
)
BAD_OVERRIDE = Code(
    "config.bad-override",
    Severity.ERROR,
    "{what} is no setting: {reason}.",
    "Write --set plugins.slots.memory=none, or GATEHOOK__PLUGINS__SLOTS__MEMORY=none.",
)
LOOK_ALIKE = Code(
    "config.look-alike",
    Severity.ERROR,
    "The entries {first} and {second} differ only in case or in the marks between words.",
    "Rename one of them; ids that look alike count as the same.",
)
DANGLING_REFERENCE = Code(
    "config.dangling-reference",
    Severity.WARNING,
    "{key} names {named}, and there is no such {what}{hint}.",
    "Correct the name, or remove it: `gatehook config set` keeps the file's comments.",
)
INVALID_ENTRY = Code(
    "config.invalid-entry",
    Severity.ERROR,
    "The configuration of {entry} breaks the rule {rule}: {explanation}.",
    "Change the value, or `gatehook plugins show {entry}` for the plugin's schema; the others run.",
)
NEEDS_CONFIG = Code(
    "config.needs-config",
    Severity.INFO,
    "{entry} is not configured and needs {needed}.",
    "Set them under [plugins.entries.{entry}.config].",
)
NOT_JSON = Code(
    "config.not-json",
    Severity.ERROR,
    "The configuration of {entry} has {found}, which JSON cannot say.",
    "Write the value as a string.",
)
SCHEMA_INVALID = Code(
    "config.schema-invalid",
    Severity.ERROR,
    "The configSchema of {plugin} is no JSON Schema: {reason}.",
    "Its author must mend plugin.json (JSON Schema, Draft 2020-12).",
)
SCHEMA_TOO_COMPLEX = Code(
    "config.schema-too-complex",
    Severity.ERROR,
    "The configSchema of {plugin} is refused: {reason}.",
    "Its author must make the schema simpler; a configuration needs no more.",
)
SCHEMA_REFERENCE = Code(
    "config.schema-reference",
    Severity.ERROR,
    "The configSchema of {plugin} has a $ref that {reason}.",
    "Its author must point $ref at #/$defs/… in the same schema, and not in a circle.",
)
SCHEMA_PATTERN = Code(
    "config.schema-pattern",
    Severity.ERROR,
    "The configSchema of {plugin} has a regular expression that is refused: {reason}.",
    "Its author must keep to the parts that JSON Schema recommends, which are matched in linear time.",
)
UNKNOWN_ENTRY_KIND = Code(
    "config.schema-entry-kind",
    Severity.ERROR,
    "The configSchema of {plugin} has an x-gatehook-entry that is no kind{hint}.",
    "Its author must name one of the seven kinds, as plugin.json's kinds do.",
)
SCHEMA_PASSING = Code(
    "config.schema-passing",
    Severity.ERROR,
    "The configSchema of {plugin} cannot pass a value on to its server: {reason}.",
    "Its author must correct it; the page on MCP plugins has the three keywords.",
)
FILE_CHANGED = Code(
    "config.file-changed",
    Severity.ERROR,
    "{path} was changed by somebody else while it was being edited; nothing was written.",
    "Run the command again.",
)
NOT_WRITTEN = Code(
    "config.not-written",
    Severity.ERROR,
    "{path} could not be written: {reason}. What it said before is intact.",
    "Check the directory's permissions and the free space.",
)

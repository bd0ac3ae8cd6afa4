"""What can be wrong with a ``plugin.json``."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

_ERROR: Final = Severity.ERROR

TOO_LARGE: Final = Code(
    "manifest.too-large",
    _ERROR,
    "{path} is larger than {cap} bytes; it was not read.",
    "Keep the manifest below {cap} bytes.",
)
NOT_UTF8: Final = Code(
    "manifest.not-utf8", _ERROR, "{path} is not plain UTF-8: {reason}.", "Save it as UTF-8 without a byte order mark."
)
NOT_JSON: Final = Code("manifest.not-json", _ERROR, "{path} is not JSON: {reason}.", "Correct the text at that line.")
TOO_DEEP: Final = Code(
    "manifest.too-deep",
    _ERROR,
    "{path} nests values more than {cap} levels deep.",
    "Flatten it; a manifest needs a few levels.",
)
DUPLICATE_KEY: Final = Code(
    "manifest.duplicate-key", _ERROR, 'The key "{key}" is there twice.', "Remove one of the two."
)
NOT_FINITE: Final = Code(
    "manifest.not-finite", _ERROR, "{value} is not a JSON number.", "Write a finite number, or a string."
)
LONE_SURROGATE: Final = Code(
    "manifest.lone-surrogate",
    _ERROR,
    "{path} holds half of a surrogate pair (\\uD800 to \\uDFFF), which is no character.",
    "Write the character itself, or both halves.",
)
NOT_AN_OBJECT: Final = Code(
    "manifest.not-an-object", _ERROR, "{path} holds {found}, not an object.", "Write the manifest as one JSON object."
)
MISSING_KEY: Final = Code("manifest.missing-key", _ERROR, 'The key "{key}" is missing.', 'Add "{key}": {expected}.')
UNKNOWN_KEY: Final = Code(
    "manifest.unknown-key",
    _ERROR,
    'There is no key "{key}" here{hint}.',
    'Correct or remove it; keys of your own start with "x-".',
)
WRONG_TYPE: Final = Code(
    "manifest.wrong-type", _ERROR, '"{key}" is {found}; it must be {expected}.', "Write {expected}."
)
BAD_VALUE: Final = Code("manifest.bad-value", _ERROR, '"{key}" must be {expected}{hint}.', "Write {expected}.")
BAD_ID: Final = Code(
    "manifest.bad-id",
    _ERROR,
    "The id {value} is not allowed.",
    'Use at most 64 lower-case letters and digits, in words joined by single "-" or "_", starting with a letter.',
)
BAD_TEXT: Final = Code(
    "manifest.bad-text",
    _ERROR,
    '"{key}" holds control or invisible characters, or is longer than {longest}.',
    "Write at most {longest} visible characters.",
)
UNKNOWN_KIND: Final = Code(
    "manifest.unknown-kind", _ERROR, 'There is no kind "{kind}"{hint}.', "The kinds are {known}."
)
BAD_PATH: Final = Code(
    "manifest.bad-path",
    _ERROR,
    '"{key}" leaves the plugin\'s directory or is no plain relative path.',
    "Write a path below the plugin's directory, with forward slashes, ending in {endings}.",
)
ENTRY_MISSING: Final = Code(
    "manifest.entry-missing", _ERROR, 'The file "{file}" that "{key}" names is missing.', 'Add it, or correct "{key}".'
)
ENTRY_NOT_A_FILE: Final = Code(
    "manifest.entry-not-a-file", _ERROR, '"{file}" is {found}, not a file.', "Name a regular file."
)
ENTRY_ESCAPES: Final = Code(
    "manifest.entry-escapes",
    _ERROR,
    '"{file}" is a symbolic link that leads out of the plugin\'s directory.',
    "Put the file itself into the directory.",
)
BAD_URL: Final = Code(
    "manifest.bad-url",
    _ERROR,
    '"{key}" is no usable URL: {reason}.',
    "Write http:// or https://, a host and a path, without user, password or fragment.",
)
UNKNOWN_CAPABILITY: Final = Code(
    "manifest.unknown-capability",
    _ERROR,
    'No kind has the capability "{key}"{hint}.',
    "Correct or remove it; the vocabulary of each kind is in the manifest reference.",
)
CAPABILITY_OF_OTHER_KIND: Final = Code(
    "manifest.capability-of-other-kind",
    _ERROR,
    '"{key}" is a capability of {kinds}, which this manifest does not declare.',
    'Add {kinds} to "kinds", or remove "{key}".',
)
UNKNOWN_PERMISSION: Final = Code(
    "manifest.unknown-permission",
    _ERROR,
    'There is no permission "{key}"{hint}.',
    "Ask for one of {known}; a permission that is not understood is never granted.",
)
WILDCARD_PERMISSION: Final = Code(
    "manifest.wildcard-permission",
    _ERROR,
    '"{value}" asks for everything.',
    "Name each host, path, variable or program; wildcards are refused.",
)
BAD_REQUIREMENT: Final = Code(
    "manifest.bad-requirement", _ERROR, '"{value}" is no {expected}: {reason}.', "Write for example {example}."
)
BAD_SCHEMA: Final = Code(
    "manifest.bad-schema",
    _ERROR,
    "The configSchema is no JSON Schema: {reason}.",
    "Correct it; the schema describes one object (Draft 2020-12).",
)

"""Loading a plugin's code: importing it, and comparing what it implements with what its manifest declares."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

IMPORT_FAILED: Final = Code(
    "runtime.import-failed",
    Severity.ERROR,
    'Importing the plugin "{plugin}" failed: {error}.',
    "Mend the module (the place is the line that raised), or disable the plugin.",
)
IMPORT_TIMEOUT: Final = Code(
    "runtime.import-timeout",
    Severity.ERROR,
    'Importing the plugin "{plugin}" did not end within {seconds} s; its thread was abandoned and still runs.',
    "Move the work out of the module's top level, then restart the gateway: a hung import cannot be ended in process.",
)
REGISTER_FAILED: Final = Code(
    "runtime.register-failed",
    Severity.ERROR,
    'register(api) of the plugin "{plugin}" failed: {error}. Nothing that it added was kept.',
    "Mend register; it takes one argument, returns nothing, and is no coroutine function.",
)
HOOK_MISSING: Final = Code(
    "runtime.hook-missing",
    Severity.ERROR,
    'The manifest of "{plugin}" declares {kind}, but its module has no hook {hook}.',
    "Add @hookimpl def {hook}(context), or remove {kind} from kinds in the manifest.",
)
KIND_UNDECLARED: Final = Code(
    "runtime.kind-undeclared",
    Severity.ERROR,
    'The plugin "{plugin}" implements {hook}, but its manifest does not declare {kind}.',
    "Add {kind} to kinds in the manifest, or remove the hook.",
)
HOOK_UNKNOWN: Final = Code(
    "runtime.hook-unknown",
    Severity.ERROR,
    'The plugin "{plugin}" has a hook {hook}, which Gatehook does not know{hint}.',
    "Correct the name; the reference lists every hook.",
)
HOOK_UNMARKED: Final = Code(
    "runtime.hook-unmarked",
    Severity.ERROR,
    'The plugin "{plugin}" has a function {hook} without @hookimpl{hint}; it would never be called.',
    "Write @hookimpl above it, or rename it if it is no hook.",
)
HOOK_TWICE: Final = Code(
    "runtime.hook-twice",
    Severity.ERROR,
    'The plugin "{plugin}" implements {hook} twice: at {first} and at {second}.',
    "Keep one: a marked function of the module, or what register adds.",
)
HOOK_ARGUMENTS: Final = Code(
    "runtime.hook-arguments",
    Severity.ERROR,
    'The hook {hook} of the plugin "{plugin}" does not fit its specification: {error}.',
    "Take only the arguments that the reference lists for this hook.",
)
WRAPPER_REFUSED: Final = Code(
    "runtime.wrapper-refused",
    Severity.ERROR,
    'The plugin "{plugin}" wraps {hook}: {rule}.',
    'Remove wrapper=True; wrapping a provide hook needs the permission "wrap:<kind>", and brokers are never wrapped.',
)

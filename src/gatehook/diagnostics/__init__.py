"""Coded, structured statements about plugins, configuration and the host: what, where, why, and how to mend it."""

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Diagnostic
from gatehook.diagnostics.records import GatehookError
from gatehook.diagnostics.records import Severity
from gatehook.diagnostics.records import did_you_mean

__all__ = ["Code", "Diagnostic", "GatehookError", "Severity", "did_you_mean"]

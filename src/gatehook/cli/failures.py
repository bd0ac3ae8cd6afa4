"""What went wrong, said once: a message with its place and remedy, the JSON envelope, and the exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from collections.abc import Sequence
from enum import IntEnum
from typing import Any
from typing import Final

import click

from gatehook.cli.output import note
from gatehook.cli.output import printable
from gatehook.cli.output import write_document
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import Severity
from gatehook.diagnostics.codes import cli as codes


class Exit(IntEnum):
    """The exit codes."""

    FINE = 0
    FAILURE = 1
    USAGE = 2
    CONSENT = 3
    CREDENTIALS = 4
    UNKNOWN_ORDERS = 5
    INTERRUPTED = 130


_EXIT_OF: Final[Mapping[str, Exit]] = {
    codes.CONSENT_NEEDED.id: Exit.CONSENT,
    codes.BAD_USAGE.id: Exit.USAGE,
    "approval_pending": Exit.CONSENT,
    "secrets.unavailable": Exit.CREDENTIALS,
    "auth": Exit.CREDENTIALS,
}


class RemoteFailure(Exception):
    """The gateway answered with an error; ``error`` is it, as it came: code, message, remedy, place."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.error = error
        super().__init__(f"{error.get('code')}: {error.get('message')}")


def explain_failure(error: BaseException, words: Sequence[str]) -> int:
    """Say on stderr what went wrong, on stdout as a document where ``--json`` asked for it; return the exit code."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILURE
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        note("interrupted")
        return Exit.INTERRUPTED
    options = words[: words.index("--")] if "--" in words else words
    if "--debug" in options:
        note("".join(traceback.format_exception(error)).rstrip())
    problems = _problems(error)
    for problem in problems:
        note(problem_text(problem))
    if "--json" in options:
        write_document({"ok": False, "error": {**problems[0], "all": problems}})
    return max((_exit_of(problem) for problem in problems), default=Exit.FAILURE)


def _exit_of(problem: Mapping[str, Any]) -> Exit:
    return _EXIT_OF.get(str(problem["code"]), Exit.FAILURE)


def _problems(error: BaseException) -> list[Mapping[str, Any]]:
    if isinstance(error, GatehookError):
        worst = [one for one in error.diagnostics if one.severity is Severity.ERROR] or list(error.diagnostics)
        return [problem_of(one) for one in worst]
    if isinstance(error, RemoteFailure):
        return [dict(error.error)]
    if isinstance(error, click.ClickException):
        return [problem_of(codes.BAD_USAGE(what=error.format_message(), command=_command_of(error)))]
    kind = type(error).__name__
    return [problem_of(codes.UNEXPECTED(kind=kind, where=_innermost(error)))]


def problem_of(diagnostic: Diagnostic) -> Mapping[str, Any]:
    """Return a diagnostic as JSON, its place in one word beside its parts."""
    return {**diagnostic.to_json(), "place": diagnostic.place}


def problem_text(problem: Mapping[str, Any]) -> str:
    """Write a problem for a person: severity, code, message; its place and its remedy below."""
    lines = [f"{problem.get('severity') or 'error'}: {problem['message']} [{problem['code']}]"]
    if problem.get("place"):
        lines.append(f"  at {problem['place']}")
    if problem.get("remedy"):
        lines.append(f"  {problem['remedy']}")
    return "\n".join(printable(line) for line in lines)


def _command_of(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context is not None else "gatehook"


def _innermost(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"  # noqa: PTH119  pathlib costs nothing here but says less

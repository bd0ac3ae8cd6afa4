"""What went wrong, as text, as a document and as an exit code."""

from __future__ import annotations

import json

import click
import pytest

from gatehook.cli.failures import Exit
from gatehook.cli.failures import RemoteFailure
from gatehook.cli.failures import explain_failure
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import catalogue as catalogues
from gatehook.diagnostics.codes import cli as codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GatehookError(codes.CONSENT_NEEDED(what="This")), Exit.CONSENT),
        (GatehookError(codes.NO_GATEWAY(data_dir="/d")), Exit.FAILURE),
        (GatehookError(catalogues.catalogue()["secrets.unavailable"](entry="e", reason="r")), Exit.CREDENTIALS),
        (RemoteFailure({"code": "auth", "message": "refused", "remedy": "look"}), Exit.CREDENTIALS),
        (RemoteFailure({"code": "no_quote", "message": "old", "remedy": "wait"}), Exit.FAILURE),
        (click.UsageError("what?"), Exit.USAGE),
        (click.Abort(), Exit.INTERRUPTED),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (RuntimeError("x"), Exit.FAILURE),
    ],
)
def test_every_failure_has_its_exit_code(error, code, capsys):
    assert explain_failure(error, []) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
    assert "Traceback" not in captured.err


def test_the_document_has_the_first_problem_and_all_of_them(capsys):
    error = GatehookError(codes.UNKNOWN_PLUGIN(plugin="a", hint=""), codes.UNKNOWN_SLOT(slot="b", hint=""))
    explain_failure(error, ["plugins", "--json"])
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["error"]["code"] == "cli.unknown-plugin"
    assert [one["code"] for one in document["error"]["all"]] == ["cli.unknown-plugin", "cli.unknown-slot"]
    assert all(code in captured.err for code in ("cli.unknown-plugin", "cli.unknown-slot"))


def test_what_follows_two_dashes_is_no_option(capsys):
    explain_failure(RuntimeError("x"), ["memory", "search", "--", "--json", "--debug"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_a_message_from_outside_is_harmless(capsys):
    explain_failure(RemoteFailure({"code": "x", "message": "\x1b[2J gone", "remedy": ""}), [])
    assert "\x1b" not in capsys.readouterr().err

from __future__ import annotations

from pathlib import Path

import pytest

from gatehook.diagnostics import Code
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import Severity
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.catalogue import catalogue

EXAMPLE = Code("example.bad", Severity.ERROR, "{plugin} is {what}", "Mend {path}.")


def test_a_diagnostic_says_what_where_and_how_to_mend_it():
    found = EXAMPLE(plugin="p", path=Path("x.json"), line=3, pointer="/kinds/0", what="bad")
    assert found.message == "p is bad"
    assert found.remedy == "Mend x.json."
    assert found.place == "x.json:3 at /kinds/0"
    assert found.to_json()["path"] == "x.json"


def test_a_missing_fact_is_found_where_the_diagnostic_is_made():
    with pytest.raises(KeyError):
        EXAMPLE(plugin="p")


def test_an_error_carries_its_diagnostics():
    error = GatehookError(EXAMPLE(plugin="p", what="bad"))
    assert "example.bad: p is bad" in str(error)
    assert error.diagnostics[0].code == "example.bad"


def test_a_near_word_is_offered():
    assert did_you_mean("kinda", ["kinds", "entry"]) == ' (did you mean "kinds"?)'
    assert did_you_mean("zzz", ["kinds"]) == ""


def test_every_code_of_the_catalogue_is_well_formed():
    codes = catalogue()
    for code in codes.values():
        subject, _, word = code.id.partition(".")
        assert subject
        assert word.replace("-", "").isalnum(), code.id
        assert word == word.lower()
        assert code.message, code.id
        assert code.remedy.endswith((".", "}")) or ": gatehook " in code.remedy, code.id

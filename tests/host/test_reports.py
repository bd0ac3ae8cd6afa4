"""The host's list of diagnostics."""

from __future__ import annotations

import logging

from gatehook import Diagnostic
from gatehook import Secret
from gatehook import Severity
from gatehook.host.logs import PluginLoggers
from gatehook.host.reports import KEPT
from gatehook.host.reports import Reports
from gatehook.secrets import MASK
from gatehook.secrets import Redactor


def said(message: str = "m", severity: Severity = Severity.WARNING) -> Diagnostic:
    return Diagnostic(code="a.b", severity=severity, message=message, remedy="r")


def test_a_diagnostic_is_told_once_over_many_reloads(caplog):
    reports, heard = Reports(Redactor()), []
    reports.listen(heard.append)
    assert [reports.report(said()) for _ in range(5)] == [True, False, False, False, False]
    assert heard == [said()]
    assert reports.count(said()) == 5
    assert len(caplog.records) == 1


def test_severities_become_levels_and_a_cause_is_for_debugging(caplog):
    caplog.set_level(logging.DEBUG)
    reports = Reports(Redactor())
    for severity in Severity:
        reports.report(said(severity=severity), ValueError("why"))
    levels = [record.levelname for record in caplog.records]
    assert levels == ["INFO", "DEBUG", "WARNING", "DEBUG", "ERROR", "DEBUG"]


def test_the_list_is_bounded_and_the_oldest_go():
    reports = Reports(Redactor())
    for number in range(KEPT + 10):
        reports.report(said(str(number)))
    assert len(reports.all) == KEPT
    assert reports.all[0].message == "10"


def test_texts_are_redacted_before_they_are_compared_or_told():
    redactor = Redactor()
    redactor.add(Secret("canary-1"))
    reports = Reports(redactor)
    reports.report(said("token canary-1"))
    assert reports.all[0].message == f"token {MASK}"


def test_a_record_whose_arguments_do_not_fit_is_still_redacted(caplog):
    redactor = Redactor()
    redactor.add(Secret("canary-1"))
    with PluginLoggers(redactor) as loggers:
        logger = loggers.of("plugin.test")
        assert loggers.of("plugin.test") is logger
        logger.warning(*("canary-1 %s %s", 1))
        try:
            raise ValueError("canary-1")
        except ValueError:
            logger.exception("failed", stack_info=True)
    assert "canary-1" not in caplog.text
    assert "do not fit" in caplog.text
    assert "ValueError" in caplog.text
    assert not logger.filters

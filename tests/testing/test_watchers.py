"""The kit's watchers fail a test that shows a secret, or leaves something behind."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from gatehook.testing.leaks import Holdings

pytest_plugins = ["pytester"]

SHOWS = {
    "stdout": "print(secret)",
    "stderr": "print(secret, file=sys.stderr)",
    "a log": "logging.getLogger('x').warning('it is %s', secret)",
    "a child process": "subprocess.run([sys.executable, '-c', 'import os; print(os.environ[\"TOKEN\"])'])",
    "a field of a log": "logging.getLogger('x').error('bad', extra={'token': secret})",
}


@pytest.mark.parametrize("how", SHOWS)
def test_a_secret_that_shows_fails_the_test(pytester, how):
    pytester.makepyfile(
        f"""
        import logging, os, subprocess, sys

        def test_it(secret_canaries):
            assert secret_canaries.make("TOKEN") == {{"env": "TOKEN"}}
            secret = os.environ["TOKEN"]
            assert secret_canaries() == [secret]
            {SHOWS[how]}
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*secret number 1 showed*"])


def test_secrets_that_show_nowhere_pass(pytester):
    pytester.makepyfile(
        """
        def test_it(secret_canaries):
            secret_canaries.make("FIRST"), secret_canaries.make("SECOND")
            print("***", len(set(secret_canaries())))
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_text_of_ones_own_can_be_checked(secret_canaries):
    secret_canaries.make("FIRST")
    secret_canaries.make("SECOND")
    secret_canaries.check("a harmless text", "another")
    with pytest.raises(pytest.fail.Exception, match=r"^secret number 2 showed$"):
        secret_canaries.check(f"token={secret_canaries()[1]}")


LEAVES = {
    "thread left": "threading.Thread(target=threading.Event().wait, name='left', daemon=True).start()",
    "child *": "left.append(subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE))",
    "file *": "left.append(open(__file__))",
}


@pytest.mark.parametrize("what", LEAVES)
def test_what_a_test_leaves_behind_fails_it(pytester, monkeypatch, what):
    check = Holdings.check
    monkeypatch.setattr(Holdings, "check", lambda self: check(self, patience=0.05))
    pytester.makepyfile(
        f"""
        import subprocess, sys, threading
        left = []

        def test_it(no_leaks):
            {LEAVES[what]}

        def test_the_rest():
            for one in left:
                if isinstance(one, subprocess.Popen):
                    one.communicate()
                else:
                    one.close()
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines([f"*left behind: *{what}*"])


def test_what_ends_in_time_is_no_leak(no_leaks, tmp_path):
    threading.Timer(0.05, lambda: None).start()
    subprocess.run([sys.executable, "-c", ""], check=True)
    with (tmp_path / "file").open("w"):
        pass

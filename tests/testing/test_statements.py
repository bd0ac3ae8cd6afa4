"""A suite's statements are fixed, and every run says what became of each."""

from __future__ import annotations

import pytest

from gatehook.testing import BrokerSuite
from gatehook.testing.statements import Suite
from gatehook.testing.statements import statements_of

pytest_plugins = ["pytester"]

CONTRACT = """
    import pytest
    from gatehook.testing.statements import Suite

    class Contract(Suite):
        suite = "keeper"

        @pytest.fixture
        def broken(self):
            raise OSError("no such thing")

        @pytest.fixture
        def leaves_a_mess(self):
            yield
            raise OSError("could not clean up")

        def test_01_it_holds(self):
            pass

        def test_02_it_needs_more_than_there_is(self):
            pytest.skip("the plugin does not declare supportsMore")

        def test_10_it_does_not_hold(self):
            assert False

        @pytest.mark.parametrize("one", [True, False, True])
        def test_11_the_worst_counts(self, one):
            assert one

        def test_12_its_rig_is_broken(self, broken):
            pass

        def test_13_its_rig_does_not_end(self, leaves_a_mess):
            pass

        def test_M1_a_letter_and_a_number(self):
            pass

        def test_something_else_is_no_statement(self):
            pass

    class TestThing(Contract):
        pass

    class TestOther(Contract):
        plugin = "renamed"

        def test_of_its_own(self):
            pass
"""


def test_a_statement_cannot_be_overridden():
    name = "test_13_without_an_explicit_word_no_account_is_live"
    with pytest.raises(TypeError, match=f"TestMine overrides {name}: .*declare fewer capabilities"):
        type("TestMine", (BrokerSuite,), {name: lambda self: None})
    mine = type("TestMine", (BrokerSuite,), {"test_of_my_own": lambda self: None, "rig": None})
    with pytest.raises(TypeError, match="TestYours overrides"):
        type("TestYours", (mine,), {name: lambda self: None})


def test_a_suite_of_ones_own_is_made_of_statements():
    class Mine(Suite):
        suite = "mine"

        def test_10_last(self):
            """Statements are told apart by their number."""

        def test_9_first_words_count(self):
            """Their words are their names."""

    assert statements_of(Mine) == [("9", "first words count"), ("10", "last")]


def outcomes(result):
    text = result.stdout.str()
    assert "contract statements" in text
    return text[text.index("contract statements") :]


EXPECTED = """\
renamed as keeper: 2 held (1 M1)
     2 skipped: it needs more than there is [the plugin does not declare supportsMore]
    10 failed: it does not hold
    11 failed: the worst counts
    12 failed: its rig is broken
    13 failed: its rig does not end
Thing as keeper: 2 held (1 M1)
"""


def test_the_table_says_held_failed_and_skipped_with_its_reason(pytester):
    pytester.makepyfile(CONTRACT)
    assert sorted(set(EXPECTED.splitlines()) - set(outcomes(pytester.runpytest_inprocess()).splitlines())) == []


def test_the_table_is_the_same_from_several_processes(pytester):
    pytester.makepyfile(CONTRACT)
    assert sorted(set(EXPECTED.splitlines()) - set(outcomes(pytester.runpytest_subprocess("-n1")).splitlines())) == []


def test_a_run_without_suites_has_no_table(pytester):
    pytester.makepyfile("def test_it(): pass")
    assert "contract statements" not in pytester.runpytest_inprocess().stdout.str()

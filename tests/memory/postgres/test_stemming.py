"""English stems: pairs that must meet, and words that must stay apart."""

from __future__ import annotations

import pytest

from gatehook.memory.stemming import stem

STEMS = {
    "caresses": "caress", "ponies": "poni", "cats": "cat", "feed": "feed", "agreed": "agre", "plastered": "plaster",
    "motoring": "motor", "sing": "sing", "conflated": "conflat", "troubled": "troubl", "sized": "size",
    "hopping": "hop", "falling": "fall", "hissing": "hiss", "fizzed": "fizz", "failing": "fail", "filing": "file",
    "happy": "happi", "sky": "sky", "relational": "relat", "conditional": "condit", "digitizer": "digit",
    "operator": "oper", "feudalism": "feudal", "decisiveness": "decis", "hopefulness": "hope", "formality": "formal",
    "triplicate": "triplic", "formative": "form", "electrical": "electr", "goodness": "good", "revival": "reviv",
    "allowance": "allow", "adjustable": "adjust", "replacement": "replac", "adoption": "adopt", "communism": "commun",
    "effective": "effect", "probate": "probat", "rate": "rate", "cease": "ceas", "controll": "control", "roll": "roll",
}  # fmt: skip


@pytest.mark.parametrize(("word", "expected"), STEMS.items())
def test_words_have_their_stems(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize(("one", "other"), [("stop", "stops"), ("close", "closing"), ("trades", "traded")])
def test_inflections_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["", "a", "is", "0042s", "1e9", "über", "成", "книги", "ß"])
def test_what_is_no_plain_word_stays(word: str) -> None:
    assert stem(word) == word

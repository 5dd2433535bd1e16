import pytest

from sqladder.texts.words import folded, words


@pytest.mark.parametrize(
    "text",
    [
        "How many singers are there?",
        "how MANY  singers\tare there",
        "“How many singers” are there…",
        "Ｈｏｗ many singers are there？",
        "How many singers\u00a0are there ?",
    ],
)
def test_the_same_question_folds_to_the_same_text(text):
    assert folded(text) == "how many singers are there"


def test_other_words_stay_other():
    assert folded("How many singers?") != folded("How many songs?")
    assert folded("year > 2000") == folded("year < 2000"), "operators in questions are punctuation"
    assert folded("first_name") == "first name"


def test_accents_are_kept_but_their_encodings_are_one():
    assert folded("Cafe\u0301") == folded("Café") == "café"
    assert folded("Cafe") != folded("Café")


def test_a_text_without_any_word_is_not_folded_to_nothing():
    assert folded(" ??? ") == "???"
    assert words("???") == []

"""Scripts without spaces between words: what is cut into pairs, and what stays as it was."""

import pytest

from sqladder.texts.stems import name_words, stems


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("来自France的歌手", ["来自", "france", "的歌", "歌手"]),
        ("2014年の曲", ["2014", "年の", "の曲"]),
        ("Which 歌手's songs?", ["which", "歌手", "s", "song"]),
        ("ﾃﾞｰﾀ", ["デー", "ータ"]),
        ("นักร้อง", ["นั", "ัก", "กร", "ร้", "้อ", "อง"]),
        # Korean has spaces.
        ("프랑스 가수", ["프랑스", "가수"]),
    ],
)
def test_words_without_spaces_are_cut_into_pairs(text, parts):
    assert stems(text) == parts


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("学生信息_Id", ["学生", "生信", "信息", "id"]),
        ("学生ID2", ["学生", "id", "2"]),
        ("表", ["表"]),
    ],
)
def test_names_fall_into_pairs_too(name, parts):
    assert name_words(name) == parts

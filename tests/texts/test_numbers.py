"""Numbers as printed."""

import pytest

from sqladder.texts.numbers import listing, number, p_phrase, p_value, plural, points, rate, seconds


def test_rates_have_three_decimals_and_unknown_ones_a_dash():
    assert [rate(0.8585), rate(0), rate(1), rate(None)] == ["0.859", "0.000", "1.000", "-"]


def test_points_have_a_sign_unless_they_show_zero():
    assert [points(0.0123), points(-0.2)] == ["+1.2", "−20.0"]
    assert [points(0), points(-0.0001), points(0.0001)] == ["0.0"] * 3


def test_one_thing_is_singular():
    assert [plural(1, "variant"), plural(0, "variant"), plural(1034, "question")] == [
        "1 variant",
        "0 variants",
        "1,034 questions",
    ]


def test_small_p_values_are_not_rounded_to_zero():
    assert [p_value(0.0004), p_value(0.0494), p_value(1)] == ["< 0.001", "0.049", "1.000"]
    assert [p_phrase(0.0004), p_phrase(0.47)] == ["p < 0.001", "p = 0.470"]


def test_a_p_value_just_above_the_level_is_not_printed_as_the_level():
    assert p_value(0.0502) == "0.0502"
    assert p_value(0.0498) == "0.0498"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.21, "3.2 s"), (119, "119.0 s"), (600, "10.0 min"), (7199, "120.0 min"), (9000, "2.5 h")],
)
def test_durations_are_printed_in_a_unit_that_suits_them(value, text):
    assert seconds(value) == text


def test_quantities_have_thousands_apart():
    assert [number(1034), number(1234.56, 1), number(None)] == ["1,034", "1,234.6", "-"]


def test_lists_read_as_english():
    assert [listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]

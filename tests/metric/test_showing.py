"""What of foreign text reaches a log, a message or a page."""

import re
import time

import pytest

from sqladder.errors import InputError
from sqladder.metric.showing import LINE, brief, showable, shown, without_secrets

SECRETS = [
    "https://user:hush@host/x?X-Amz-Signature=hush&X-Amz-Date=hush",
    "https://hush@host/x",
    "https://user:hush/hush@host/x",
    "https://user:hush@hush@host/x",
    "https://host/x;jsessionid=hush/y",
    "https://host/x?hush",
    "https://host/x?a=1&hush",
    "https://host/x?a=hush'hush",
    "https://host/x#access_token=hush",
    "postgresql://me:hush@host/db?password=hush",
    "git+https://me:hush@host/x",
    "//me:hush@host/x",
    "me:hush@host/x",
]


@pytest.mark.parametrize("url", SECRETS)
@pytest.mark.parametrize("around", ["{}", "fetching '{}' failed", "see {}, or ({}).", "{}\n{}"])
def test_no_secret_of_a_url_is_shown(url, around):
    text = without_secrets(around.replace("{}", url))
    assert "hush" not in text
    assert "host" in text
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/@scope/pkg",
        "https://example.org/a/b.zip",
        "it took 10:30 and is me@example.org",
        "https://host/x?token=$HF_TOKEN&id=${ID}",
        "SELECT a:b FROM t",
    ],
)
def test_what_is_no_secret_stays(text):
    assert without_secrets(text) == text


def test_names_of_parameters_stay():
    assert without_secrets("https://h/x?id=1;b=2") == "https://h/x?id=***&b=***"


def test_the_token_of_the_hub_is_not_shown(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a-token-of-mine")
    told = without_secrets("a-token-of-mine and hf_abcdefghijklmnopqrst")
    assert told == "*** and ***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\rb", r"a\rb"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("\x07\x08\x7f\x9b", r"\x07\x08\x7f\x9b"),
        ("left\u202etfel\u2066\u2069\u200f", r"left\u202etfel\u2066\u2069\u200f"),
        ("a\u2028b\ufeff\U000e0041", r"a\u2028b\ufeff\U000e0041"),
        ("سلام‌ها 你好 👩‍💻 naïve", "سلام‌ها 你好 👩‍💻 naïve"),
    ],
)
def test_what_acts_on_a_terminal_is_shown_as_its_escape(text, expected):
    assert showable(text) == expected


def test_a_message_is_bounded_safe_and_bare():
    error = InputError("id \x1b[2J" + "x" * 10**6 + " of https://me:hush@host/\nnext line")
    lines = str(error).split("\n")
    assert len(lines[0]) < LINE + 50
    assert lines[0].endswith("more characters)")
    assert lines[1] == "next line"
    assert "hush" not in str(error)
    assert "\x1b" not in str(error)


def test_a_value_of_the_data_is_quoted_in_brief():
    assert brief("a'b") == '"a\'b"'
    assert brief(7) == "7"
    assert re.fullmatch(r"'x{80}'\.\.\. \(20 more characters\)", brief("x" * 100))
    assert len(brief({"a": "x" * 1000})) < 120


@pytest.mark.parametrize(
    "text",
    ["a://" * 30_000, "http://h" + "." * 10**5 + "x", "a" * 10**5 + ":", "http://h?" + "&" * 10**5],
)
def test_long_texts_take_time_that_grows_with_their_length_only(text):
    start = time.process_time()
    shown(text)
    assert time.process_time() - start < 5

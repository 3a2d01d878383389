"""Credentials never reach what is written."""

import json
from pathlib import Path

import pytest

from lineage_repo.text.redact import Redactor, looks_secret


def test_the_environments_credentials_are_redacted_plain_and_in_json() -> None:
    value = 'pass"word\\with/quotes'
    redact = Redactor.from_environment({"MY_API_KEY": value, "DB_PASSWORD": "hunter2-hunter2", "HOME": "/home/someone"})
    assert redact(f"it is {value}.") == "it is [redacted]."
    assert json.loads(redact(json.dumps({"a": value}))) == {"a": "[redacted]"}
    assert redact("hunter2-hunter2 lives in /home/someone") == "[redacted] lives in /home/someone"


def test_a_short_value_is_a_word_and_stays() -> None:
    assert Redactor.from_environment({"ANTHROPIC_API_KEY": "none"})("none of it") == "none of it"


@pytest.mark.parametrize(
    "key",
    ["sk-ant-api03-" + "x" * 30, "AKIA" + "A" * 16, "ghp_" + "a" * 36, "AIza" + "b" * 35, "Bearer " + "c" * 20],
)
def test_whatever_looks_like_a_key_is_redacted(key: str) -> None:
    assert looks_secret(f"see {key}")
    assert key.removeprefix("Bearer ") not in Redactor()(f"see {key}")


def test_a_login_in_an_address_is_redacted() -> None:
    assert Redactor()("at http://me:secret@proxy:80/x") == "at http://[redacted]@proxy:80/x"


def test_a_key_in_an_address_is_redacted() -> None:
    assert Redactor()("http://x/v1?a=1&api_key=abc&b=2") == "http://x/v1?a=1&api_key=[redacted]&b=2"


@pytest.mark.parametrize(
    "piece", ["-eyJaaaaaaaaaa", "eyJaaaaaaaaaa.", "sk-", "Bearer ", "://a:", "?key", "://x?key", "-----BEGIN "]
)
def test_a_text_made_to_be_read_again_and_again_is_read_once(piece: str) -> None:
    Redactor()(piece * 100_000)  # where this takes more than a moment, an agent can stop a run with it


def test_plain_words_numbers_and_digests_stay() -> None:
    text = (
        "x&sigma==1, task-level skip-connection, sha256 "
        + "0a" * 32
        + " http://127.0.0.1:80/v1, the bearer of bad news"
    )
    assert Redactor()(text) == text
    assert not looks_secret(text)


@pytest.mark.parametrize("before", ["\n", "\t", "\r", "\x01", "“"])
def test_a_key_is_found_behind_an_escape_of_json(before: str) -> None:
    text = json.dumps(f"{before}sk-ant-{'a' * 30}{before}Bearer {'b' * 20}")
    assert looks_secret(text)
    assert Redactor()(text) == json.dumps(f"{before}[redacted]{before}Bearer [redacted]")


def test_a_key_in_an_address_ends_where_the_quoted_text_around_it_does() -> None:
    text = json.dumps('see "http://x/v1?key=abc" and "http://x/v1?key=\\def"')
    assert json.loads(Redactor()(text)) == 'see "http://x/v1?key=[redacted]" and "http://x/v1?key=[redacted]"'


def test_every_text_of_plain_data_is_redacted_and_nothing_else() -> None:
    data = {"token-value": ["a\ntoken-value", 1, None, True], "n": {"x": (1.5, Path("/token-value"))}}
    redacted = {"[redacted]": ["a\n[redacted]", 1, None, True], "n": {"x": [1.5, "/[redacted]"]}}
    assert Redactor(["token-value"]).redact_data(data) == redacted

"""A reply's own words are told from quoted text and signature, as mail programs write them (own inputs)."""

import tomllib
from pathlib import Path

import pytest

from digest.mail.reports.reply_text import read_reply

REPLIES: dict[str, dict[str, str]] = tomllib.loads((Path(__file__).parent / "replies.toml").read_text())
OWN = "The bridge was never closed.\n\nI walked over it."


@pytest.mark.parametrize("name", REPLIES)
def test_a_writers_own_words_are_separated(name: str) -> None:
    one = REPLIES[name]

    assert read_reply(one["text"]).own == one.get("own", OWN)

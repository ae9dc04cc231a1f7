"""A digest that skips another leaves out what that one brought the same reader, and nothing else."""

from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.settings import load_settings
from tests.support.newsroom import Caught, Publication

WEEKLY = """
[[digests]]
name = "week"
title = "The Week"
topics = ["world", "science"]
{skip}
[digests.cadences]
daily = "07:00"

[[digests]]
name = "world"
"""


def put_before(publication: Publication, skip: str) -> None:
    """Let a digest stand before the other one in the settings, so that their order there decides nothing."""
    publication.change_settings('[[digests]]\nname = "world"\n', WEEKLY.format(skip=skip).lstrip())


@pytest.mark.parametrize("skip", ['skip = ["world"]', ""], ids=["skips", "by default"])
def test_a_reader_of_two_digests(tmp_path: Path, database_url: str, skip: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        put_before(publication, skip)
        publication.write_article("Alps open")
        for digest, name in (("world", "both"), ("week", "both"), ("week", "one")):
            address = f"{name}@readers.example"
            publication.run("subscribers", "add", address, "--digest", digest, "--confirmed", "by phone")
        publication.run("fetch")
        publication.run("send", "--now")
        got = sorted(relay.recipients)
        (article,) = publication.facts("articles", "list")
        why = publication.facts("why", "both@readers.example", str(article["id"]))

    both, one = "both@readers.example", "one@readers.example"
    assert got == ([both, one] if skip else [both, both, one])
    assert ("week leaves it out: it skips world, which brought it" in str(why)) == bool(skip)
    assert publication.facts("audit")["ok"] is True


@pytest.mark.parametrize(
    ("skip", "complaint"),
    [
        ('skip = ["week"]', "skips itself"),
        ('skip = ["daily"]', '"daily", which does not exist; there is week, world'),
    ],
)
def test_a_digest_skips_only_others_that_exist(
    tmp_path: Path, database_url: str, skip: str, complaint: str
) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    put_before(publication, skip)
    with pytest.raises(SettingsError, match=complaint):
        load_settings(publication.config)

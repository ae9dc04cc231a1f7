"""Storing: what is known is known again, what is new is new, and one story of two sources is one."""

import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from digest.articles.building import build_article
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError
from digest.models import Article, Edition, Fold, Variant, VariantArticle
from digest.rules.articles.admission import TOO_MANY, Admission
from digest.store.articles import articles, duplicates
from digest.store.database import Database
from digest.tasks.articles.duplicates import split
from digest.tasks.articles.storing import Stored, store_articles
from digest.tasks.editions.candidates import candidates
from tests.support.stories import FOLDER

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = Admission()
TEXT = tomllib.loads((FOLDER / "fold-agency-text-as-it-is.toml").read_text())["first"]["text"]
OTHER = tomllib.loads((FOLDER / "fold-cut-to-its-first-half.toml").read_text())["first"]["text"]


def item(
    title: str = "Bridge reopens",
    url: str = "https://paper.example/bridge",
    guid: str | None = "g1",
    text: str = TEXT,
    at: datetime | None = None,
    topics: Iterable[str] = (),
) -> ParsedArticle:
    return build_article(
        title=title, url=url, guid=guid, html=f"<p>{text}</p>", published_at=at, topics=topics
    )


def store(
    database: Database,
    *items: ParsedArticle,
    source: str = "paper",
    at: datetime = NOW,
    intake: Admission = ALL,
) -> Stored:
    with database.write() as session:
        articles.take_turns(session)
        return store_articles(session, source, items, at, intake)


def rows(database: Database) -> list[Article]:
    with database.read() as session:
        return list(session.exec(select(Article).order_by(col(Article.id))))


def only(database: Database) -> Article:
    (row,) = rows(database)
    return row


@pytest.mark.parametrize(
    "again",
    [
        item(title="Old bridge reopens"),
        item(url="https://paper.example/bridge-2"),
        item(guid="g2"),
        item(url="https://paper.example/bridge-2", guid="g2"),
        item(text=OTHER),
        item(url="https://paper.example/bridge-2", text=OTHER, at=NOW),
    ],
    ids=["title", "url", "guid", "url and guid", "text", "url and text"],
)
def test_an_article_is_known_again_whatever_changes(database: Database, again: ParsedArticle) -> None:
    store(database, item(at=NOW))
    done = store(database, again, at=NOW + HOUR)
    assert (done.added, done.updated) == (0, 1)
    assert only(database).first_seen_at == NOW
    assert only(database).url == again.url
    assert store(database, again, at=NOW + HOUR).unchanged == 1


@pytest.mark.parametrize("again", [item(guid="g2", text=OTHER, at=NOW), item(text=OTHER, at=NOW + HOUR)])
def test_a_page_written_anew_is_a_new_article_and_the_former_one_stays(
    database: Database, again: ParsedArticle
) -> None:
    store(database, item(at=NOW))
    assert store(database, again, at=NOW + HOUR).added == 1
    former, new = rows(database)
    assert former.url == new.url
    assert new.canonical_url == "https://paper.example/bridge"
    assert former.canonical_url == f"https://paper.example/bridge#former-{former.id}"
    assert store(database, again, at=NOW + 2 * HOUR).unchanged == 1
    assert len(rows(database)) == 2


def test_a_page_written_anew_within_one_fetch_is_two_articles_too(database: Database) -> None:
    morning, noon = item(guid=None, at=NOW), item(guid=None, text=OTHER, at=NOW + HOUR)
    strike = item("Strike ends", "https://paper.example/strike", "g2", "The strike at the harbour is over.")
    done = store(database, strike, morning, noon, intake=Admission(2))
    assert (done.added, done.held_back) == (3, 1)
    former, other, new = rows(database)
    assert (former.text, new.text) == (morning.text, noon.text)
    assert new.canonical_url == "https://paper.example/bridge"
    assert former.canonical_url == f"https://paper.example/bridge#former-{former.id}"
    assert (former.held_back, other.held_back, new.held_back) == (TOO_MANY, None, None)


def test_useless_guids_and_links_merge_nothing_from_one_fetch_to_the_next(database: Database) -> None:
    home = "https://paper.example/"
    feeds = [
        [
            item(f"Story {n}", home, "0", f"Story {n} is about the number {n}.")
            for n in range(start, start + 3)
        ]
        for start in (0, 1, 2)
    ]
    assert [store(database, *feed).added for feed in feeds] == [3, 1, 1]
    assert [row.title for row in rows(database)] == [f"Story {n}" for n in range(5)]


def test_a_guid_that_each_single_item_re_uses_merges_nothing(database: Database) -> None:
    store(database, item(guid="news", at=NOW))
    again = item("Strike ends", "https://paper.example/strike", "news", OTHER, NOW + HOUR)
    assert store(database, again, at=NOW + HOUR).added == 1
    assert store(database, again, at=NOW + HOUR).unchanged == 1


def test_titles_without_a_text_are_not_the_same_content(database: Database) -> None:
    for n in range(2):
        store(database, item("Live blog", f"https://paper.example/{n}", f"g{n}", text=""))
    assert len(rows(database)) == 2


def test_another_source_with_the_same_address_adds_only_its_topics(database: Database) -> None:
    store(database, item(topics=["world"]))
    store(database, item(title="CLICK HERE", text="Overwritten.", topics=["science"]), source="other")
    assert (only(database).title, only(database).topics) == ("Bridge reopens", ["world", "science"])
    assert store(database, item(topics=["world"])).unchanged == 1
    assert store(database, item(topics=["culture"])).updated == 1
    assert only(database).topics == ["culture", "science"]


def test_what_is_over_the_cap_is_held_back_and_kept(database: Database) -> None:
    flood = [
        item(f"Story {n}", f"https://paper.example/{n}", f"g{n}", f"Number {n}.", NOW - n * HOUR)
        for n in range(5)
    ]
    done = store(database, *flood, intake=Admission(max_new=2))
    assert (done.added, done.held_back) == (5, 3)
    assert [row.held_back for row in rows(database)] == [None, None, TOO_MANY, TOO_MANY, TOO_MANY]
    assert store(database, *flood, intake=Admission(max_new=2)).unchanged == 5
    with database.read() as session:
        found = candidates(session, seen_from=NOW - HOUR, seen_to=NOW)
    assert len(found) == 2


def wire(
    title: str = "Swing bridge open", text: str = TEXT, topics: Iterable[str] = ("science",)
) -> ParsedArticle:
    return item(title, "https://wire.example/1", "w1", text, topics=topics)


def test_the_same_story_of_another_source_is_folded_into_the_first_and_topics_are_united(
    database: Database,
) -> None:
    store(database, item(topics=["world"]))
    assert store(database, wire(), source="wire", at=NOW + HOUR).folded == 1
    root, folded = rows(database)
    with database.read() as session:
        (candidate,) = candidates(session, seen_from=NOW - HOUR, seen_to=NOW + HOUR)
        assert duplicates.story_of(session, folded.id or 0) == [root.id, folded.id]
    assert (candidate.id, candidate.topics, candidate.folded) == (root.id, ("world", "science"), (folded.id,))


@pytest.mark.parametrize(
    ("source", "hours", "text"), [("paper", 1, TEXT), ("wire", 73, TEXT), ("wire", 1, OTHER)]
)
def test_nothing_is_folded_within_a_source_after_72_hours_or_in_other_words(
    database: Database, source: str, hours: int, text: str
) -> None:
    store(database, item())
    again = item("Swing bridge", "https://wire.example/1", "w1", text)
    assert store(database, again, source=source, at=NOW + hours * HOUR).folded == 0


def test_what_is_kept_out_of_editions_takes_no_story_with_it(database: Database) -> None:
    store(database, item(), intake=Admission(max_new=1, since=NOW + HOUR))
    store(
        database, item("Held", "https://paper.example/x", "g9", OTHER, NOW - HOUR), intake=Admission(1, NOW)
    )
    done = store(
        database, item("Strike", "https://wire.example/2", "w2", OTHER), source="wire", at=NOW + HOUR
    )
    assert done.folded == 0


def test_a_story_in_three_sources_has_one_root(database: Database) -> None:
    for n, source in enumerate(("paper", "wire", "courier")):
        store(
            database,
            item(f"Bridge {n}", f"https://{source}.example/1", source),
            source=source,
            at=NOW + n * HOUR,
        )
    with database.read() as session:
        assert {fold.root_id for fold in session.exec(select(Fold))} == {rows(database)[0].id}


def test_eight_sources_at_once_fold_into_one(database: Database) -> None:
    names = [f"paper-{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(
            lambda name: store(database, item(name, f"https://{name}.example/1", name), source=name), names
        )
        assert sum(one.folded for one in done) == 7
    with database.read() as session:
        assert len({fold.root_id for fold in session.exec(select(Fold))}) == 1


def test_an_edit_that_parts_the_texts_ends_a_fold_that_no_edition_has(database: Database) -> None:
    store(database, item())
    store(database, wire(), source="wire", at=NOW + HOUR)
    store(database, wire(text=OTHER), source="wire", at=NOW + 2 * HOUR)
    with database.read() as session:
        assert len(candidates(session, seen_from=NOW, seen_to=NOW + HOUR)) == 2


def test_what_an_editor_split_stays_split(database: Database) -> None:
    store(database, item())
    store(database, wire(), source="wire", at=NOW + HOUR)
    root, folded = rows(database)
    with database.write() as session:
        split(session, folded.id or 0, NOW + HOUR)
    store(database, wire(title="Swing bridge open again"), source="wire", at=NOW + 2 * HOUR)
    with database.read() as session:
        assert len(candidates(session, seen_from=NOW, seen_to=NOW + HOUR)) == 2
        assert duplicates.story_of(session, root.id or 0) == [root.id]
    with database.write() as session, pytest.raises(InputError, match="folded into no other"):
        split(session, folded.id or 0, NOW + HOUR)


def test_a_fold_that_an_edition_was_made_with_is_fixed(database: Database) -> None:
    store(database, item())
    store(database, wire(), source="wire", at=NOW + HOUR)
    root, folded = rows(database)
    with database.write() as session:
        at = NOW + 2 * HOUR
        edition = Edition(digest="world", cadence="daily", period="2026-11-23", deadline_at=at, freeze_at=at)
        session.add(edition)
        session.flush()
        variant = Variant(edition_id=edition.id or 0, key="k", language="en")
        session.add(variant)
        session.flush()
        session.add(VariantArticle(variant_id=variant.id or 0, position=0, article_id=root.id or 0))
    with database.write() as session, pytest.raises(InputError, match="stays folded"):
        split(session, folded.id or 0, NOW + 3 * HOUR)
    store(database, wire(text=OTHER), source="wire", at=NOW + 3 * HOUR)
    with database.read() as session:
        assert duplicates.story_of(session, folded.id or 0) == [root.id, folded.id]

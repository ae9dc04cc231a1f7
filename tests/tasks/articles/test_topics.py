"""Topics follow the settings: for what is stored already, with the next fetch, and nobody gets an article twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select, update

from digest.articles.building import build_article
from digest.models import Article, DeliveryState, Edition, EditionState
from digest.rules.articles.topics import Topics
from digest.settings import Settings, SourceSettings
from digest.settings.topics import TopicSettings
from digest.store.database import Database
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.articles.storing import store_articles
from digest.tasks.articles.topics import renew_topics, topics_by
from tests.support.compilation import NOW as COMPILED
from tests.support.compilation import Newsroom

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPORT = TopicSettings(name="sport", categories=("Football",), url=("/sport/*",))


def put(
    database: Database,
    made_by: Topics,
    *categories: str,
    source: str = "paper",
    path: str = "a",
    at: datetime = NOW,
) -> None:
    item = build_article(
        title=f"Bridge reopens: {path}",
        url=f"https://x.example/{path}",
        html="<p>Open.</p>",
        topics=categories,
    )
    with database.write() as session:
        store_articles(session, source, [item], at, topics=made_by)


def finish(database: Database) -> None:
    with database.write() as session:
        session.exec(update(Edition).values(state=EditionState.FINISHED))


def topics_of(database: Database) -> list[list[str]]:
    with database.read() as session:
        return [row.topics for row in session.exec(select(Article).order_by(col(Article.id)))]


def test_a_rule_reaches_what_is_stored_and_leaves_it_when_it_goes(database: Database) -> None:
    put(database, Topics(), "football")
    put(database, Topics(), path="sport/b")
    assert renew_topics(database, Topics([SPORT])) == 2
    assert topics_of(database) == [["football", "sport"], ["sport"]]
    assert renew_topics(database, Topics([SPORT])) == 0
    assert renew_topics(database, Topics()) == 2
    assert topics_of(database) == [["football"], []]


def test_the_topics_of_a_source_reach_its_articles_and_those_that_it_shares(database: Database) -> None:
    put(database, Topics(), "sea")
    put(database, Topics(), "ships", source="wire")
    assert renew_topics(database, Topics(of_sources={"paper": ("world",), "wire": ("trade",)})) == 1
    assert topics_of(database) == [["sea", "world", "ships", "trade"]]


def test_what_an_older_version_stored_keeps_its_topics_until_it_is_read_again(database: Database) -> None:
    put(database, Topics())
    with database.write() as session:
        row = session.exec(select(Article)).one()
        row.categories, row.topics = None, ["old"]
        session.add(row)
    assert renew_topics(database, Topics([SPORT])) == 0
    assert topics_of(database) == [["old"]]
    put(database, Topics([SPORT]), "football")
    assert topics_of(database) == [["football", "sport"]]


def test_the_next_fetch_makes_topics_anew_though_no_source_is_due(
    database: Database, settings: Settings
) -> None:
    (settings.folder / "articles").mkdir()
    (settings.folder / "articles" / "a.md").write_text("---\ntitle: Cup\ntags: [football]\n---\nText.\n")

    def fetch(at: datetime, **changed: Any) -> list[list[str]]:
        fetch_due(database, settings.model_copy(update=changed), at)
        return topics_of(database)

    assert fetch(NOW) == [["football", "world"]]
    assert fetch(NOW, topics=(SPORT,)) == [["football", "world", "sport"]]
    other = SourceSettings(name="newsroom", url="articles", topics=("culture",))
    assert fetch(NOW, sources=(other,)) == [["football", "culture"]]


def test_new_topics_bring_no_article_again_and_wait_for_messages_under_way(newsroom: Newsroom) -> None:
    database = newsroom.database
    with database.read() as session:
        made_by = topics_by(session, newsroom.settings)
    put(database, made_by, "world", source="elsewhere", at=COMPILED - 2 * HOUR)
    reader = newsroom.subscribe("world", "science")
    newsroom.compile(COMPILED)
    changed = Topics([TopicSettings(name="science", title=("bridge",))])

    assert renew_topics(database, changed) == 0
    assert topics_of(database) == [["world"]]
    newsroom.set_states(DeliveryState.ACCEPTED, [reader])
    finish(database)
    assert renew_topics(database, changed) == 1
    assert topics_of(database) == [["world", "science"]]
    newsroom.compile(COMPILED + timedelta(days=1))
    assert newsroom.lists() == {reader: [[1]]}


def test_many_processes_renew_at_once_without_a_fault(database: Database) -> None:
    put(database, Topics(), "football")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: renew_topics(database, Topics([SPORT])), range(8)))
    assert sum(done) == 1
    assert topics_of(database) == [["football", "sport"]]

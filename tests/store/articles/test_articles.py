"""Articles in the database: the list that editors look through, and what pruning takes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import inspect
from sqlmodel import col, select

from digest.models import (
    Article,
    Cohort,
    Delivery,
    DeliveryState,
    Edition,
    Subscriber,
    Subscription,
    Variant,
    VariantArticle,
)
from digest.models.article import ArticleFilter
from digest.store.articles import articles, pruning
from digest.store.articles.listing import find_articles, find_for_edition, list_articles
from digest.store.database import Database
from digest.tasks.articles.searching import index_due

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=500)
A_YEAR_AGO = NOW - timedelta(days=365)


def add(database: Database, number: int, **own: Any) -> int:
    values: dict[str, Any] = {
        "published_at": NOW,
        "first_seen_at": NOW,
        "topics": ["world"],
        "source": "wire",
    }
    values |= {"title": f"Story {number}", "text": "Text"} | own
    row = Article(
        canonical_url=f"https://x.example/{number}",
        url=f"https://x.example/{number}", content_hash=str(number), html="<p>Text</p>", **values,
    )  # fmt: skip
    with database.write() as session:
        session.add(row)
        session.flush()
    index_due(database)
    assert row.id is not None
    return row.id


def listed(database: Database, limit: int = 0, **wanted: Any) -> list[int]:
    with database.read() as session:
        return [row["id"] for row in list_articles(session, ArticleFilter(**wanted), limit)]


def put_into_an_edition(database: Database, article_id: int, state: str) -> None:
    with database.write() as session:
        edition = Edition(
            digest="world", cadence="daily", period=f"p{article_id}", deadline_at=NOW, freeze_at=NOW
        )
        cohort = Cohort(key=str(article_id), digest="world", cadence="daily", language="en", history_from=NOW)
        reader = Subscriber(
            public_id=str(article_id), address="a@b.example", address_key=str(article_id), created_at=NOW
        )
        session.add_all([edition, cohort, reader])
        session.flush()
        variant = Variant(edition_id=edition.id or 0, key="k", language="en")
        subscription = Subscription(
            subscriber_id=reader.id or 0, digest="world", cadence="daily", created_at=NOW, cohort_id=cohort.id
        )
        session.add_all([variant, subscription])
        session.flush()
        session.add(VariantArticle(variant_id=variant.id or 0, position=0, article_id=article_id))
        session.add(Delivery(
            edition_id=edition.id or 0, subscription_id=subscription.id or 0, variant_id=variant.id, state=state,
            due_at=NOW, changed_at=NOW,
        ))  # fmt: skip


def test_a_topic_is_found_whole_in_any_script(database: Database) -> None:
    sport, motor, polish = (
        add(database, n, topics=[topic, "x"]) for n, topic in enumerate(["sport", "motorsport", "żużel"])
    )
    assert listed(database, topic="sport") == [sport]
    assert listed(database, topic="żużel") == [polish]
    assert listed(database, topic="x") == [polish, motor, sport]
    assert listed(database, topic="%") == []


def test_filters_are_taken_together_and_words_too(database: Database) -> None:
    first = add(database, 1, title="Bridge reopens", text="After nine winters", source="wire")
    add(database, 2, title="Bridge closes", text="For a winter", source="paper")
    assert listed(database, search="winters bridge") == [first]
    assert listed(database, search="winter", source="wire") == [first]
    assert listed(database, search="100%") == []


def test_what_a_search_finds_leaves_the_texts_in_the_database(database: Database) -> None:
    add(database, 1, title="Bridge reopens", text="After nine winters")
    with database.read() as session:
        found = [
            *find_for_edition(session, "bridge", 10),
            *find_articles(session, ArticleFilter(search="bridge"), None, 10).rows,
        ]
    for one in found:
        assert {"html", "text"} <= inspect(one).unloaded


def test_the_newest_come_first_and_a_limit_cuts(database: Database) -> None:
    old = add(database, 1, published_at=NOW - timedelta(days=2))
    undated = add(database, 2, published_at=None)
    assert listed(database) == [undated, old]
    assert listed(database, limit=1) == [undated]
    assert listed(database, since=NOW - timedelta(days=1)) == [undated]


def test_hidden_and_pinned_ones_are_told(database: Database) -> None:
    hidden, pinned = add(database, 1, hidden_at=NOW), add(database, 2, pinned_at=NOW)
    assert listed(database, hidden=True) == [hidden]
    assert listed(database, hidden=False) == [pinned]
    assert listed(database, pinned=True) == [pinned]
    assert listed(database, pinned=False) == [hidden]


def test_an_article_is_found_by_id_and_by_url_in_other_spellings(database: Database) -> None:
    number = add(database, 1)
    with database.read() as session:
        for name in (str(number), "https://x.example/1", "HTTPS://X.example/1?utm_source=mail"):
            assert articles.get_article(session, name).id == number, name
        for name in ("99999999999999999999", "²", "https://x.example/none", "not a url", "http://[", "-1"):
            assert articles.find_article_named(session, name) is None, name


def test_pruning_removes_what_nothing_names_and_empties_what_the_ledger_names(database: Database) -> None:
    old = {"published_at": LONG_AGO, "first_seen_at": LONG_AGO}
    free, mailed, open_one = (add(database, n, **old) for n in range(3))
    young = add(database, 4)
    undated = add(database, 5, published_at=None, first_seen_at=LONG_AGO)
    put_into_an_edition(database, mailed, DeliveryState.ACCEPTED)
    put_into_an_edition(database, open_one, DeliveryState.PLANNED)

    with database.read() as session:
        told = pruning.count_prunable(session, A_YEAR_AGO)
    with database.write() as session:
        assert pruning.prune(session, A_YEAR_AGO) == told == pruning.Prunable(removed=1, emptied=2)

    with database.read() as session:
        rest = articles.get_articles(session, [free, mailed, open_one, young, undated])
        again = pruning.count_prunable(session, A_YEAR_AGO)
    assert {number: bool(row.text) for number, row in rest.items()} == {
        mailed: False, open_one: True, young: True, undated: False,
    }  # fmt: skip
    assert again == pruning.Prunable(0, 0)


def test_an_old_article_that_was_first_seen_lately_stays(database: Database) -> None:
    add(database, 1, published_at=LONG_AGO)
    with database.read() as session:
        assert pruning.count_prunable(session, A_YEAR_AGO) == pruning.Prunable(0, 0)


def test_articles_lost_and_fetched_again_are_taken_as_seen_on_their_date(database: Database) -> None:
    known = add(database, 1, first_seen_at=NOW - timedelta(hours=9))
    hours = {2: -5, 3: -20, 4: None, 5: 3}
    for number, hour in hours.items():
        at = None if hour is None else NOW + timedelta(hours=hour)
        add(database, number, published_at=at, first_seen_at=NOW + timedelta(days=1))

    with database.write() as session:
        articles.set_first_seen(session, after_id=known, until=NOW)

    with database.read() as session:
        seen = [one.first_seen_at - NOW for one in session.exec(select(Article).order_by(col(Article.id)))]
    assert [round(one / timedelta(hours=1)) for one in seen] == [-9, -5, -9, -9, 24]

"""Articles are found by their words, and by the same ones on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, delete

from digest.articles.text.search_words import read_search
from digest.models import Article
from digest.models.article import ArticleFilter
from digest.store.articles import listing, search
from digest.store.articles.listing import find_articles, find_for_edition
from digest.store.database import Database
from digest.tasks.articles.searching import index_due
from tests.support.hostile import hostile_strings

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def store(database: Database, *titles: str, **own: Any) -> list[int]:
    rows = [
        Article(
            source="wire", canonical_url=f"https://x.example/{title}", url="https://x.example", content_hash=title,
            title=title, first_seen_at=NOW, **{"topics": ["world"], **own},
        )
        for title in titles
    ]  # fmt: skip
    with database.write() as session:
        session.add_all(rows)
        session.flush()
    index_due(database)
    return [row.id or 0 for row in rows]


def found(database: Database, words: str, **options: Any) -> list[int]:
    with database.read() as session:
        return search.list_found(session, words, **{"most": 100, **options})


@pytest.mark.parametrize(
    ("title", "searches", "others"),
    [
        ("Élan über Straße", ["elan", "ÉLAN", "uber", "strasse elan", "STRAẞE", "ela"], ["lan", "straß e"]),
        ("Η Αθήνα σήμερα", ["αθηνα", "Αθήνα", "ΑΘΗΝΑ", "σημ"], ["θήνα"]),
        ("Ёлка у моста", ["елка", "МОСТА", "мос"], ["оста"]),
        ("東京タワーの朝", ["東京", "京タ", "朝", "東京 朝"], ["京東", "東朝"]),
        ("서울은 흐리다", ["서울", "흐리"], ["울서"]),
        ("สวัสดีชาวโลก", ["ชาว", "สวัสดี"], ["โลกชาว"]),
        ("नमस्ते दुनिया", ["दुनिया", "नमस्ते"], ["निया"]),
        ("مُحَمَّد في البيت", ["محمد", "البيت"], ["بيت"]),
        ("L'eau and O'Brien's bridge", ["l'eau", "eau", "o'brien", "bridge eau"], ["leau", "eau'l"]),
        ("C++ at 100% of a_b", ["c++", "100%", "a_b", "a b"], ["b_a"]),
        (
            "Bridge reopens",
            ["brid", "bridge reop", "reopens bridge"],
            ["brid reopens", "bridge closes", "ridge"],
        ),
    ],
)
def test_words_are_found_in_every_script(
    database: Database, title: str, searches: list[str], others: list[str]
) -> None:
    (one,) = store(database, title)
    store(database, "Another story altogether")
    for words in searches:
        assert found(database, words) == [one], words
    for words in others:
        assert found(database, words) == [], words


def test_summary_and_text_are_found_too_and_a_title_alone_where_that_is_asked(database: Database) -> None:
    (one,) = store(database, "Bridge", summary="Ferry <b>stops</b>", text="Nine winters passed")
    assert found(database, "bridge ferry winters") == [one]
    assert found(database, "winters passed", in_title=True) == []
    assert found(database, "ferry", in_title=True) == []
    assert found(database, "brid", in_title=True) == [one]
    assert found(database, "bridge winters", in_title=True) == []


def test_those_stored_last_come_first_and_a_page_goes_on_below(database: Database) -> None:
    ids = store(database, *(f"Bridge {number}" for number in range(7)))[::-1]
    assert found(database, "bridge", most=3) == ids[:3]
    assert found(database, "bridge", most=3, below=ids[2]) == ids[3:6]
    with database.read() as session:
        first = find_articles(session, ArticleFilter(search="bridge"), None, 4)
        last = find_articles(session, ArticleFilter(search="bridge"), first.below, 4)
    assert [one.id for one in (*first.rows, *last.rows)] == ids
    assert (first.is_whole, last.is_whole, last.below) == (True, True, None)


def test_a_filter_beside_words_goes_through_a_bounded_number(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wanted,) = store(database, "Bridge of science", topics=["science"])
    others = store(database, *(f"Bridge {number}" for number in range(4)))
    monkeypatch.setattr(listing, "MOST_READ", 3)
    about = ArticleFilter(search="bridge", topic="science")
    with database.read() as session:
        first = find_articles(session, about, None, 2)
        second = find_articles(session, about, first.below, 2)
    assert (first.rows, first.below, first.is_whole) == ([], others[1], False)
    assert ([one.id for one in second.rows], second.below, second.is_whole) == ([wanted], None, True)


def test_for_an_edition_titles_come_before_texts_and_nothing_hidden_is_offered(database: Database) -> None:
    (title,) = store(database, "Bridge")
    (body,) = store(database, "Ferry", text="At the bridge")
    store(database, "Bridge hidden", hidden_at=NOW)
    store(database, "Bridge withdrawn", withdrawn_at=NOW)
    with database.read() as session:
        assert [one.id for one in find_for_edition(session, "bridge", 10)] == [title, body]
        assert [one.id for one in find_for_edition(session, "bridge", 1)] == [title]


def test_an_edited_article_is_found_by_its_new_words_alone(database: Database) -> None:
    one, other = store(database, "Bridge", "Ferry")
    with database.write() as session:
        session.get_one(Article, one).title = "Tunnel"
        session.exec(update(Article).where(col(Article.id) == other).values(text="All of it gone"))
    assert found(database, "bridge") == [one], "an edit is read by the next run"
    index_due(database)
    assert (found(database, "bridge"), found(database, "tunnel")) == ([], [one])
    assert found(database, "ferry gone") == [other]


def test_a_deleted_article_is_found_no_more(database: Database) -> None:
    one, other = store(database, "Bridge old", "Bridge new")
    with database.write() as session:
        session.add(
            Article(
                source="wire", canonical_url="u", url="u", content_hash="u", title="Bridge", first_seen_at=NOW
            )
        )
        session.flush()
        session.exec(delete(Article).where(col(Article.id) != other))
        assert search.count_due(session, 10) == 0
    assert found(database, "bridge") == [other]
    assert one != other


def test_an_edit_between_reading_and_entering_is_read_again(database: Database) -> None:
    (one,) = store(database, "Bridge")
    with database.write() as session:
        session.get_one(Article, one).title = "Ferry"
    with database.read() as session:
        stale = search.list_due(session, 10)
    with database.write() as session:
        session.get_one(Article, one).title = "Tunnel"
    with database.write() as session:
        search.enter(session, stale)
        assert search.count_due(session, 10) == 1

    index_due(database)

    assert (found(database, "ferry"), found(database, "tunnel")) == ([], [one])


def test_a_change_of_anything_else_makes_no_article_due(database: Database) -> None:
    (one,) = store(database, "Bridge")
    with database.write() as session:
        session.get_one(Article, one).pinned_at = NOW
        session.flush()
        assert search.count_due(session, 10) == 0


def test_a_run_reads_a_bounded_number_the_last_first(database: Database) -> None:
    with database.write() as session:
        session.add_all(
            Article(
                source="wire",
                canonical_url=f"{n}",
                url="u",
                content_hash="c",
                title=f"Bridge {n}",
                first_seen_at=NOW,
            )
            for n in range(250)
        )
    assert index_due(database, 120) == 120
    with database.read() as session:
        assert search.count_due(session, 1_000) == 130
    assert len(found(database, "bridge", most=500)) == 120
    assert found(database, "bridge 249") != []
    assert index_due(database) == 130
    assert index_due(database) == 0


def test_what_is_typed_is_never_an_operator(database: Database) -> None:
    """Each of the hostile strings finds what has it as its title, and none is refused by the database."""
    kept = [one.replace("\x00", "") for one in hostile_strings()[::40]]
    typed = [
        *kept,
        "' OR 1=1 --",
        "NEAR(a b)",
        "title : x",
        "{title} : x",
        "a* b",
        "^a",
        "-a",
        "a AND",
        "!a",
        "a:*",
        "<->",
    ]
    for number, written in enumerate(typed):
        (one,) = store(database, f"{written} {number}")
        is_found = found(database, f"{written} {number}"[:2_000], most=1_000)
        assert one in is_found or len(read_search(written)) == 20, written


def test_an_enormous_article_is_taken(database: Database) -> None:
    (one,) = store(database, "Book", text="".join(f"word{number} " for number in range(200_000)))
    assert found(database, "book word17") == [one]

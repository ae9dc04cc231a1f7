"""Reading the lists of a claim: in their order, with who else tells their stories and the pictures' copies."""

from datetime import timedelta

from sqlmodel import Session

from digest.models import Article, Edition, Fold, Form, Picture
from digest.rules.editions.selection import Choice, Chosen
from digest.store.articles import articles, duplicates, images
from digest.store.articles.images import Copy
from digest.store.database import Database
from digest.store.editions import variants
from tests.support.samples import NOW


def publish(session: Session, name: str, image_url: str | None = None) -> int:
    row = Article(
        source="newsroom", canonical_url=f"https://x.example/{name}", url=f"https://x.example/{name}",
        content_hash=name, title=name, topics=["world"], first_seen_at=NOW, image_url=image_url,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id or 0


def test_lists_are_read_as_they_were_entered(database: Database) -> None:
    with database.write() as session:
        edition = Edition(
            digest="world", cadence="daily", period="2026-11-23", deadline_at=NOW, freeze_at=NOW
        )
        session.add(edition)
        ids = [publish(session, name) for name in "abc"]
        lists = [
            Chosen(tuple(Choice(n, form, "world") for n in order), left_out, tuple(related))
            for order, form, left_out, related in (
                (ids, Form.FULL, 0, []), (ids[::-1], Form.SUMMARY, 2, ids[:2]), ([], Form.FULL, 0, []),
            )
        ]  # fmt: skip
        session.flush()
        numbers = [variants.find_or_add_variant(session, edition.id or 0, "de", chosen) for chosen in lists]

    with database.read() as session:
        found = variants.get_variants(session, numbers)
        assert variants.get_variants(session, []) == {}
    assert [found[number].chosen for number in numbers] == lists
    assert {(one.edition.period, one.language) for one in found.values()} == {("2026-11-23", "de")}


def test_who_else_tells_a_story_is_listed_but_who_was_split_from_it(database: Database) -> None:
    with database.write() as session:
        root, told, gone, split = (publish(session, name) for name in ("root", "told", "gone", "split"))
        session.add(Fold(article_id=told, root_id=root, folded_at=NOW))
        session.add(Fold(article_id=gone, root_id=root, folded_at=NOW))
        session.add(Fold(article_id=split, root_id=root, folded_at=NOW, split_at=NOW))
        session.get_one(Article, gone).withdrawn_at = NOW

    with database.read() as session:
        found = duplicates.list_told(session, [root, told])
        since = duplicates.list_told_since(session, NOW - timedelta(days=1))
        assert duplicates.list_told(session, []) == {}
        assert articles.list_gone(session, [root, told, gone]) == {gone}
        assert articles.list_gone(session, []) == set()
    assert found == since
    assert [(one.article_id, one.title, one.topics, one.folded_at, one.is_withdrawn) for one in found[root]] == [
        (told, "told", ("world",), NOW, False), (gone, "gone", ("world",), NOW, True),
    ]  # fmt: skip


def test_copies_are_given_by_article_where_there_are_any(database: Database) -> None:
    with database.write() as session:
        shown, waiting, bare = (
            publish(session, "shown", image_url="https://x.example/1.png"),
            publish(session, "waiting", image_url="https://x.example/2.png"),
            publish(session, "bare"),
        )
        session.add(
            Picture(url="https://x.example/1.png", name="n", content=b"x", copied_at=NOW, tried_at=NOW)
        )
        session.add(Picture(url="https://x.example/2.png", tried_at=NOW))

    with database.read() as session:
        assert images.copies_of(session, [shown, waiting, bare]) == {shown: Copy("n", NOW)}
        assert images.copies_of(session, []) == {}

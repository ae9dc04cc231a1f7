"""What readers get of an article is what it was when their edition froze, whatever its source edits meanwhile."""

from datetime import timedelta

from sqlmodel import Session, select

from digest.models import Article, DeliveryState, Edition, FrozenArticle
from digest.store.editions import snapshots
from digest.tasks.composing.variants import Variants
from digest.tasks.readers.expiry import KEEP_FROZEN, keep_house
from tests.support.compilation import DAY, NOW, Newsroom


def edit(newsroom: Newsroom, article_id: int, title: str) -> None:
    with newsroom.database.write() as session:
        article = session.get(Article, article_id)
        assert article is not None
        article.title, article.html, article.topics = title, f"<p>{title}</p>", ["business"]
        session.add(article)


def shown(newsroom: Newsroom, variants: Variants, delivery: int = -1) -> dict[int, str]:
    variant = variants.take(newsroom.deliveries()[delivery].variant_id or 0)
    return {key: article.title for key, article in variant.articles.items()}


def kept(session: Session) -> list[int]:
    return sorted(session.exec(select(FrozenArticle.article_id)))


def test_an_edit_after_the_freeze_reaches_no_reader_of_that_edition(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()
    edit(newsroom, article, "Written anew")

    assert shown(newsroom, Variants(newsroom.database)) == {article: "Story 1"}


def test_editions_side_by_side_show_an_article_as_each_froze_it(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()
    edit(newsroom, article, "Written anew")
    newsroom.subscribe(at=NOW)
    newsroom.compile(NOW + DAY)
    variants = Variants(newsroom.database)

    assert shown(newsroom, variants, 0) == {article: "Story 1"}
    assert shown(newsroom, variants, -1) == {article: "Written anew"}


def test_what_is_withdrawn_is_known_as_withdrawn_though_its_words_are_kept(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()
    with newsroom.database.write() as session:
        row = session.get(Article, article)
        assert row is not None
        row.withdrawn_at = NOW
        session.add(row)

    with newsroom.database.read() as session:
        edition = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
        assert snapshots.articles_of(session, edition.id or 0, [article])[article].withdrawn_at == NOW


def test_articles_of_an_edition_long_finished_are_not_kept(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.ACCEPTED, [reader])
    with newsroom.database.write() as session:
        edition = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
        edition.finished_at = NOW
        session.add(edition)

    keep_house(newsroom.database, NOW + KEEP_FROZEN)
    with newsroom.database.read() as session:
        assert kept(session) == [article]
    keep_house(newsroom.database, NOW + KEEP_FROZEN + timedelta(seconds=1))
    with newsroom.database.read() as session:
        assert kept(session) == []

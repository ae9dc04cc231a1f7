"""What editors decided in a draft is what the edition is, and the digest's policy decides whether it goes."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from digest.models import Approval, Edition, Reach
from digest.store.editions import drafts, editions
from tests.support.compilation import DAY, NOW, Newsroom

TODAY, TOMORROW = "2026-11-23", "2026-11-24"
MONTH = timedelta(days=31)


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    newsroom.digest = newsroom.digest.model_copy(update={"cadences": {"daily": "07:00"}})
    return newsroom


def shape(newsroom: Newsroom, period: str = TODAY, **values: Any) -> None:
    """Enter what editors decided."""
    with newsroom.database.write() as session:
        draft = drafts.find_or_new(session, "world", "daily", period)
        draft.version += 1
        for name, value in values.items():
            setattr(draft, name, value)
        drafts.save(session, draft, "mara@courier.example", "changed it", NOW)


def set_policy(newsroom: Newsroom, approval: Approval) -> None:
    newsroom.digest = newsroom.digest.model_copy(update={"approval": approval})


def find(newsroom: Newsroom, period: str = TODAY) -> Edition:
    with newsroom.database.read() as session:
        found = editions.find_edition(session, "world", "daily", period)
    assert found is not None
    return found


def test_articles_stand_as_they_were_placed_and_free_ones_follow_by_the_rule(newsroom: Newsroom) -> None:
    old, middle, new = (newsroom.publish(at=NOW - timedelta(hours=h)) for h in (9, 6, 3))
    newest = newsroom.publish(at=NOW - timedelta(hours=1))
    reader = newsroom.subscribe()
    shape(newsroom, arranged=[old, middle])

    newsroom.compile()

    assert newsroom.lists() == {reader: [[old, middle, newest, new]]}


def test_what_is_hidden_in_a_draft_is_a_candidate_of_the_next_edition(newsroom: Newsroom) -> None:
    kept, hidden = newsroom.publish(), newsroom.publish()
    reader = newsroom.subscribe()
    shape(newsroom, hidden=[hidden])

    newsroom.compile()
    newsroom.compile(NOW + DAY)

    assert newsroom.lists() == {reader: [[kept], [hidden]]}


def test_an_added_article_goes_to_the_readers_of_its_topics_or_to_all(newsroom: Newsroom) -> None:
    science = newsroom.publish("science", at=NOW - 2 * MONTH)
    notice = newsroom.publish("house", at=NOW - 2 * MONTH)
    world, both = newsroom.subscribe("world"), newsroom.subscribe("world", "science")
    shape(newsroom, added={str(science): Reach.TOPICS, str(notice): Reach.ALL})

    newsroom.compile()

    assert newsroom.lists() == {world: [[notice]], both: [[notice, science]]}


def test_an_added_article_never_reaches_a_reader_who_has_it_however_old_that_is(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile()
    later = NOW + 2 * MONTH
    newcomer = newsroom.subscribe(at=later - DAY)
    fresh = newsroom.publish(at=later - timedelta(hours=1))
    shape(newsroom, later.date().isoformat(), added={str(article): Reach.ALL})

    newsroom.compile(later)

    assert newsroom.lists() == {reader: [[article], [fresh]], newcomer: [[fresh, article]]}


def test_the_edition_keeps_its_subject_and_introduction(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe()
    shape(newsroom, subject="Extra", introduction="Good *morning*.")

    newsroom.compile()

    assert (find(newsroom).subject, find(newsroom).introduction) == ("Extra", "Good *morning*.")


@pytest.mark.parametrize(
    ("policy", "decided", "why"),
    [
        (Approval.SEND, {"held_by": "mara"}, ""),
        (Approval.HOLD, {}, ""),
        (Approval.HOLD, {"held_by": "mara"}, "held by mara"),
        (Approval.REQUIRE, {}, "nobody has approved it"),
        (Approval.REQUIRE, {"approved_version": 1}, ""),
        (Approval.REQUIRE, {"approved_version": 0}, "it was changed after its approval"),
        (Approval.REQUIRE, {"approved_version": 1, "held_by": "mara"}, "held by mara"),
    ],
)
def test_the_policy_decides_at_the_deadline(
    newsroom: Newsroom, policy: Approval, decided: dict[str, Any], why: str
) -> None:
    newsroom.publish()
    newsroom.subscribe()
    set_policy(newsroom, policy)
    shape(newsroom, **decided)

    (compiled,) = newsroom.compile()

    assert (compiled.held, bool(newsroom.deliveries())) == (why, not why)
    assert (find(newsroom).state, find(newsroom).reason) == ("held" if why else "frozen", why)


def test_a_held_edition_is_compiled_once_it_is_released_as_of_then(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe()
    set_policy(newsroom, Approval.REQUIRE)
    newsroom.compile()
    late, released_at = newsroom.publish(at=NOW + timedelta(hours=1)), NOW + timedelta(hours=2)

    (waiting,) = newsroom.compile(NOW + timedelta(minutes=1))
    shape(newsroom, approved_version=1)
    newsroom.compiler.compile_due(newsroom.digest, released_at)

    assert (waiting.made, waiting.held) == (False, "nobody has approved it")
    assert (find(newsroom).state, find(newsroom).freeze_at) == ("frozen", released_at)
    assert late in newsroom.lists()[newsroom.deliveries()[0].subscription_id][0]


def test_what_is_still_held_at_the_next_deadline_is_skipped_and_its_articles_come_then(
    newsroom: Newsroom,
) -> None:
    article = newsroom.publish()
    reader = newsroom.subscribe()
    shape(newsroom, held_by="mara")
    newsroom.compile()

    newsroom.compile(NOW + DAY)

    assert find(newsroom).state == "skipped"
    assert "in the next edition" in find(newsroom).reason
    assert find(newsroom, TOMORROW).state == "frozen"
    assert newsroom.lists() == {reader: [[article]]}


def test_eight_compilers_release_a_held_edition_once(newsroom: Newsroom) -> None:
    from concurrent.futures import ThreadPoolExecutor

    newsroom.publish()
    newsroom.subscribe()
    shape(newsroom, held_by="mara")
    newsroom.compile()
    others = [Newsroom(newsroom.database, newsroom.settings, newsroom.workers).compiler for _ in range(8)]
    shape(newsroom, held_by=None)

    def release(at: datetime) -> int:
        return sum(item.made for item in others.pop().compile_due(newsroom.digest, at))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(release, [NOW] * 8)) == 1
    assert len(newsroom.deliveries()) == 1

"""Drafts under several hands at once: each change is seen, is in the edition, or is refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.errors import InputError
from digest.models import Draft, EditionName, Reach
from digest.settings import Settings
from digest.store.editions import drafts, editions
from digest.tasks.desk import draft_articles as placing
from digest.tasks.desk import drafts as changes
from digest.tasks.desk.draft_versions import ChangedMeanwhile, DraftWords, Edit, MadeMeanwhile
from digest.tasks.desk.lineup import Lineup, line_up
from tests.support.desks import Clock, Newsdesk

NAME = EditionName("world", "daily", "2026-11-23")
DEADLINE = datetime(2026, 11, 23, 6, 0, 30, tzinfo=UTC)


@pytest.fixture
def newsdesk(settings: Settings) -> Iterator[Newsdesk]:
    newsdesk = Newsdesk(settings, Clock())
    yield newsdesk
    newsdesk.close()


def find_draft(newsdesk: Newsdesk) -> Draft:
    with newsdesk.app.database.read() as session:
        return drafts.find_or_new(session, "world", "daily", NAME.period)


def lineup(newsdesk: Newsdesk) -> Lineup:
    with newsdesk.app.database.read() as session:
        return line_up(session, newsdesk.settings.digest("world"), find_draft(newsdesk), newsdesk.clock())


def edit(newsdesk: Newsdesk, who: str = "mara", seen: int | None = 0) -> Edit:
    return Edit(who, NAME, seen, newsdesk.clock())


def write_words(newsdesk: Newsdesk, edit: Edit, subject: str, introduction: str = "") -> None:
    words = DraftWords(subject, introduction, "")
    changes.save_words(newsdesk.app.desk, replace(edit, words=words))


def test_the_drafts_of_many_editions_are_those_of_each(newsdesk: Newsdesk) -> None:
    write_words(newsdesk, edit(newsdesk), "Mine")
    with newsdesk.app.database.write() as session:
        session.add(Draft(digest="world", cadence="weekly", period=NAME.period, subject="Another cadence"))
        session.add(Draft(digest="other", cadence="daily", period=NAME.period, subject="Another digest"))
    with newsdesk.app.database.read() as session:
        next_one = NAME._replace(period="2026-11-24")
        found = drafts.find_or_new_of(session, [NAME, next_one])
        assert drafts.find_or_new_of(session, []) == {}
    assert {name: (one.subject, one.id is None) for name, one in found.items()} == {
        NAME: ("Mine", False), next_one: ("", True)
    }  # fmt: skip


def test_of_eight_hands_that_saw_the_same_one_is_taken_and_seven_are_told(newsdesk: Newsdesk) -> None:
    def write(number: int) -> str:
        try:
            write_words(newsdesk, edit(newsdesk, f"editor {number}"), f"Subject {number}")
        except ChangedMeanwhile as meanwhile:
            return f"told of {meanwhile.acts[0].who}"
        return f"taken from editor {number}"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(write, range(8)))

    taken = [one for one in said if one.startswith("taken")]
    winner = taken[0].removeprefix("taken from ")
    assert len(taken) == 1
    assert said.count(f"told of {winner}") == 7
    assert (find_draft(newsdesk).version, find_draft(newsdesk).subject) == (1, f"Subject {winner[-1]}")


def test_a_change_at_the_deadline_is_in_the_edition_or_refused(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    newsdesk.subscribe("anna@readers.example")
    newsdesk.clock.now = DEADLINE

    def write(number: int) -> int:
        try:
            write_words(newsdesk, edit(newsdesk, seen=None), f"Subject {number}")
        except MadeMeanwhile:
            return 0
        return number

    with ThreadPoolExecutor(6) as pool:
        compiled = pool.submit(newsdesk.compile, DEADLINE)
        taken = [number for number in pool.map(write, range(1, 40)) if number]
        compiled.result()

    with newsdesk.app.database.read() as session:
        edition = editions.find_edition(session, "world", "daily", NAME.period)
    assert edition is not None
    draft = find_draft(newsdesk)
    assert edition.subject == draft.subject
    assert draft.version == len(taken)


def test_the_line_up_counts_the_readers_who_would_get_an_article(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("a@readers.example", "world")
    newsdesk.subscribe("b@readers.example", "science")
    newsdesk.publish("Alps", "world")
    newsdesk.compile(DEADLINE)
    newsdesk.publish("Baltic", "science")
    newsdesk.publish("Crete", "world", "science")
    newsdesk.publish("Danube", "elsewhere")

    found = lineup(newsdesk)

    assert {line.article.title: line.readers for line in found.lines} == {"Baltic": 1, "Crete": 2}
    assert (found.readers, found.sent_to_all) == (2, 2)  # Alps has reached its reader, Danube has none


def test_what_cannot_be_added_says_why(newsdesk: Newsdesk) -> None:
    hidden = newsdesk.publish("Hidden", hidden_at=newsdesk.clock())
    gone = newsdesk.publish("Gone", withdrawn_at=newsdesk.clock())
    for named, said in (
        (str(hidden), "is hidden for good"),
        (str(gone), "is withdrawn"),
        ("9" * 30, "no article"),
    ):
        with pytest.raises(InputError, match=said):
            placing.add(newsdesk.app.desk, edit(newsdesk), named, Reach.ALL)
    assert find_draft(newsdesk).version == 0


def test_words_that_are_too_long_are_refused_with_their_length(newsdesk: Newsdesk) -> None:
    with pytest.raises(InputError, match="the subject has 201 characters; 200 fit"):
        write_words(newsdesk, edit(newsdesk), "x" * 201)
    with pytest.raises(InputError, match="the introduction has 10001 characters"):
        write_words(newsdesk, edit(newsdesk), "", "x" * 10_001)


def test_an_article_that_was_added_and_left_out_again_is_as_if_it_never_was(newsdesk: Newsdesk) -> None:
    old = newsdesk.publish("From the vault", "house", hours=24 * 90)
    desk = newsdesk.app.desk
    placing.add(desk, edit(newsdesk), str(old), Reach.ALL)
    assert [line.added for line in lineup(newsdesk).lines] == ["all"]
    placing.hide(desk, edit(newsdesk, seen=1), old)
    draft = find_draft(newsdesk)
    assert (draft.added, draft.hidden, draft.arranged) == ({}, [], [])

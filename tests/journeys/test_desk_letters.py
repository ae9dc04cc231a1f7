"""Letters on the desk: read beside what they answer, answered, done, and printed with their writers' consent."""

import itertools
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from sqlmodel import col, select

from digest.mail.rendering.names import Names
from digest.models import (
    Answer,
    Article,
    Complaint,
    Edition,
    Form,
    FrozenArticle,
    Letter,
    Subscriber,
    Variant,
    Withdrawal,
)
from digest.rules.editions.selection import Choice
from digest.settings import Settings
from digest.settings.inbound import InboundSettings
from digest.tasks.composing.cards import Cards
from digest.tasks.desk.agenda import list_agenda
from digest.tasks.desk.lineup import line_up
from digest.tasks.inbound.intake import take_in
from digest.tasks.readers import privacy
from tests.support.desks import BEN, Clock, Newsdesk
from tests.support.editions import list_articles
from tests.support.inbox import LETTER

NUMBERS = itertools.count(1)
ANNA = "anna@readers.example"
QUOTED = "The bridge was never closed.\n\nAnna\n\nOn Mon, 23 Nov 2026 at 07:05, News <n@courier.example> wrote:\n> Alps"


@pytest.fixture
def newsdesk(settings: Settings) -> Iterator[Newsdesk]:
    inbound = InboundSettings(address="news@courier.example")
    newsdesk = Newsdesk(settings.model_copy(update={"inbound": inbound}), Clock())
    newsdesk.subscribe(ANNA)
    yield newsdesk
    newsdesk.close()


def take(newsdesk: Newsdesk, sender: str, subject: str, text: str, to: str = "news@courier.example") -> None:
    """Let a message come in."""
    message = LETTER.format(
        sender=sender,
        to=to,
        subject=subject,
        text=text,
        number=next(NUMBERS),
        headers="",
    )
    newsdesk.app.inbox.spool.deliver([message.encode()])
    take_in(newsdesk.app.inbox, newsdesk.clock())


def letter(newsdesk: Newsdesk) -> Letter:
    with newsdesk.app.database.read() as session:
        return session.exec(select(Letter)).one()


def question(newsdesk: Newsdesk) -> Answer:
    with newsdesk.app.database.read() as session:
        return session.exec(select(Answer).where(Answer.kind == "print")).one()


def asked(newsdesk: Newsdesk, text: str = "The bridge was never closed.") -> str:
    """Let Ben ask whether the one letter may be printed; return the address that the answer goes to."""
    take(newsdesk, f"Anna <{ANNA}>", "Re: Alps", QUOTED)
    path = f"/desk/letters/{letter(newsdesk).id}"
    answer = newsdesk.sign_in(BEN).do("print", path=path, text=text, edition="world/daily")
    assert answer.headers["location"] == f"{path}?said=asked"
    return question(newsdesk).reply_to


def printed(newsdesk: Newsdesk) -> list[Article]:
    """Compile Monday's edition and list the articles of its one variant."""
    newsdesk.compile()
    with newsdesk.app.database.read() as session:
        variant = session.exec(select(Variant)).one()
        ids = [row.article_id for row in list_articles(session, variant.id or 0)]
        return [session.get_one(Article, one) for one in ids]


def test_a_letter_is_listed_and_shown_with_its_quote_folded(newsdesk: Newsdesk) -> None:
    take(newsdesk, f"Anna <{ANNA}>", "About <b>Alps</b>", QUOTED)
    mara = newsdesk.sign_in()

    listed, page = mara.get("/desk/letters").text, mara.get(f"/desk/letters/{letter(newsdesk).id}").text

    assert "About &lt;b&gt;Alps&lt;/b&gt;" in listed
    assert '<a href="/desk/letters" aria-current="page">Letters</a>' in listed
    assert "1 waits for an answer" in listed
    assert "<summary>What it quotes</summary>" in page
    assert page.index("The bridge was never closed.") < page.index("<details>") < page.index("&gt; Alps")
    assert newsdesk.visitor().get("/desk/letters").status_code == 303
    assert mara.get("/desk/letters/99").status_code == mara.get("/desk/letters/x").status_code == 404


def test_an_editor_answers_and_marks_as_done(newsdesk: Newsdesk) -> None:
    take(newsdesk, ANNA, "Alps", "Higher than you say.")
    path, ben = f"/desk/letters/{letter(newsdesk).id}", newsdesk.sign_in(BEN)

    assert "The answer is empty." in ben.do("answer", path=path, text="  ").text
    ben.do("answer", path=path, text="You are right.\nBen")

    with newsdesk.app.database.read() as session:
        answer = session.exec(select(Answer).where(Answer.kind == "reply")).one()
    assert (answer.address, answer.subject, answer.values["text"]) == (
        ANNA,
        "Re: Alps",
        "You are right.\nBen",
    )
    assert (letter(newsdesk).state, letter(newsdesk).handled_by) == ("answered", BEN)
    assert "No letter is waiting" in ben.get("/desk/letters").text
    assert "Alps" in ben.get("/desk/letters?show=all").text
    ben.do("done", path=path)
    assert letter(newsdesk).state == "done"


def test_a_letter_goes_into_the_next_edition_once_its_writer_agrees(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    to = asked(newsdesk)
    assert [one.title for one in take_agenda(newsdesk)] == ["Alps"]

    take(newsdesk, ANNA, "Re: Alps", "Yes.\n\n> May we print", to=to)

    found = printed(newsdesk)
    assert [one.title for one in found] == ["Alps", "Alps"]
    (one,) = [article for article in found if article.source == "letters"]
    assert (one.text, one.author, one.topics) == ("The bridge was never closed.", "Anna", ["letters"])
    assert letter(newsdesk).consent == "given"


def take_agenda(newsdesk: Newsdesk) -> list[Article]:
    """List the line-up of Monday's edition as the desk has it."""
    with newsdesk.app.database.read() as session:
        (entry,) = [
            one for one in list_agenda(session, newsdesk.settings, newsdesk.clock()) if one.cadence == "daily"
        ]
        shown = line_up(session, entry.digest, entry.coming.draft, newsdesk.clock())
        return [line.article for line in shown.lines]


@pytest.mark.parametrize("words", ["No.", "nein danke", "Let me think about it."])
def test_without_a_yes_it_is_not_printed(newsdesk: Newsdesk, words: str) -> None:
    newsdesk.publish("Alps")
    take(newsdesk, ANNA, "Re: Alps", words, to=asked(newsdesk))

    assert [one.source for one in printed(newsdesk)] == ["newsroom"]
    with newsdesk.app.database.read() as session:
        consent = [one.consent for one in session.exec(select(Letter).order_by(col(Letter.id)))]
    assert consent == (["refused"] if words != "Let me think about it." else ["asked", ""])


def test_a_no_after_a_yes_takes_it_out_again(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    to = asked(newsdesk)
    take(newsdesk, ANNA, "Re: Alps", "ja", to=to)
    take(newsdesk, ANNA, "Re: Alps", "no", to=to)

    assert [one.source for one in printed(newsdesk)] == ["newsroom"]


def test_a_printed_letter_is_erased_with_its_writer(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    take(newsdesk, ANNA, "Re: Alps", "ja", to=asked(newsdesk))
    article = next(one for one in printed(newsdesk) if one.source == "letters")
    path = "/archive/world/daily/2026-11-23"
    assert "never closed" in newsdesk.sign_in(BEN).get(path).text
    assert "never closed" in str(privacy.show(newsdesk.app.readers, ANNA)["letters"])

    privacy.erase(newsdesk.app.readers, ANNA, newsdesk.clock())

    assert "never closed" not in newsdesk.sign_in(BEN).get(path).text
    with newsdesk.app.database.read() as session:
        row = session.get_one(Article, article.id)
        frozen = session.exec(select(FrozenArticle).where(FrozenArticle.article_id == article.id)).all()
        withdrawal = session.exec(select(Withdrawal)).one()
    assert (row.text, row.author, row.summary) == ("", None, "")
    assert [one.text for one in frozen] == [""]
    assert withdrawal.done_at is not None
    assert (letter(newsdesk).text, letter(newsdesk).print_text) == ("", "")


def test_nobody_else_can_agree(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    to = asked(newsdesk)
    place = to.index("+") + 6
    take(newsdesk, "eve@readers.example", "Re: Alps", "yes", to=to)
    take(
        newsdesk,
        ANNA,
        "Re: Alps",
        "yes",
        to=to[:place] + ("a" if to[place] != "a" else "b") + to[place + 1 :],
    )

    assert [one.source for one in printed(newsdesk)] == ["newsroom"]


def test_a_cards_link_leads_to_a_letter_about_its_article(newsdesk: Newsdesk) -> None:
    article = newsdesk.publish("Alps & sea")
    look = newsdesk.settings.look.model_copy(update={"reply_link": True})
    settings = newsdesk.settings.model_copy(update={"look": look})
    with newsdesk.app.database.read() as session:
        row = session.get_one(Article, article)
        names, choice = Names(settings.site.names), Choice(article, Form.SUMMARY, "world")
        card = Cards(settings, names).card_of(row, choice, (), None, "en").card
        plain = Cards(newsdesk.settings, names).card_of(row, choice, (), None, "en").card
    assert plain.reply_url == ""
    to, _, rest = card.reply_url.removeprefix("mailto:").partition("?subject=")
    assert unquote(rest) == "Re: Alps & sea"

    take(newsdesk, ANNA, unquote(rest), "leave\n\nis what I did, by the last train.", to=unquote(to))

    assert letter(newsdesk).article_id == article
    assert "Alps &amp; sea" in newsdesk.sign_in().get(f"/desk/letters/{letter(newsdesk).id}").text


def test_the_desk_warns_of_complaints_and_shows_letters_beside_their_edition(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    newsdesk.compile()
    with newsdesk.app.database.write() as session:
        edition = session.exec(select(Edition).where(Edition.period == "2026-11-23")).one()
        anna = session.exec(select(Subscriber)).one()
        session.add(Complaint(at=newsdesk.clock(), subscriber_id=anna.id or 0, edition_id=edition.id,
                              receiver="readers.example", feedback_type="abuse"))  # fmt: skip
        session.add(
            Letter(at=newsdesk.clock(), sender=ANNA, subject="Too high", text="x", edition_id=edition.id)
        )
    mara = newsdesk.sign_in()

    assert "1 of 0 readers marked it as spam" in mara.get("/desk/letters").text
    page = mara.get(newsdesk.path()).text
    assert "readers marked this edition as spam" in page
    assert "Too high" in page

"""What an editor typed on the desk: whatever button is pressed, it is saved with it or still on the page."""

import re
from datetime import timedelta
from typing import Any

import pytest

from digest.models import Draft
from digest.store.editions import drafts, editions
from tests.support.desks import BEN, MARA, Newsdesk, titles

TYPED: dict[str, Any] = {
    "subject": "Bridges first",
    "introduction": "Good *morning*.",
    "sponsor": "Tea by [Lund](https://tea.example)",
}


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe("anna@readers.example")
    for hours, title in enumerate(["Alps", "Baltic", "Crete", "Danube"], 1):
        newsdesk.publish(title, hours=hours)
    return newsdesk


def find_draft(newsdesk: Newsdesk) -> Draft:
    with newsdesk.app.database.read() as session:
        return drafts.find_or_new(session, "world", "daily", "2026-11-23")


def words(newsdesk: Newsdesk) -> tuple[str, str, str]:
    draft = find_draft(newsdesk)
    return draft.subject, draft.introduction, draft.sponsor


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("shape", {"do": "up 2"}), ("shape", {"do": "pin 3"}), ("shape", {"do": "hide 1"}), ("shape", {"do": "reset"}),
        ("add", {"named": "1"}), ("note", {"note": "Check the lead"}), ("approve", {}), ("hold", {}),
        ("to-preview", {}), ("edit/2", {}), ("preflight", {}),
    ],
)  # fmt: skip
def test_each_button_of_the_page_saves_what_was_typed(
    newsdesk: Newsdesk, act: str, fields: dict[str, Any]
) -> None:
    answer = newsdesk.sign_in().do(act, **TYPED, **fields)

    assert answer.status_code in (200, 303), answer.text
    assert words(newsdesk) == tuple(TYPED.values())


def test_approve_approves_the_words_on_the_screen_and_says_so(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()

    answer = mara.do("approve", **TYPED)

    draft = find_draft(newsdesk)
    assert (draft.is_approved, draft.subject, draft.version) == (True, "Bridges first", 1)
    assert "Saved and approved as it stands" in mara.get(answer.headers["location"]).text
    newsdesk.compile()
    with newsdesk.app.database.read() as session:
        edition = editions.find_edition(session, "world", "daily", "2026-11-23")
    assert edition is not None
    assert (edition.subject, edition.sponsor) == ("Bridges first", TYPED["sponsor"])


def test_an_act_that_is_refused_keeps_all_that_was_typed_on_the_page(newsdesk: Newsdesk) -> None:
    answer = newsdesk.sign_in().do("add", **TYPED, named="9999", note="Ask Ben", reach="all")

    assert answer.status_code == 400
    assert "There is no article &#34;9999&#34;" in answer.text
    for kept in ('value="Bridges first"', "Good *morning*.", 'value="9999"', 'value="Ask Ben"'):
        assert kept in answer.text
    assert re.search(r'value="all" checked', answer.text)
    assert words(newsdesk) == ("", "", "")


def test_what_is_typed_in_the_other_fields_is_still_there_after_a_move(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()

    answer = mara.do("shape", do="down 1", named="half an addr", note="half a note")

    page = mara.get(answer.headers["location"]).text
    assert 'value="half an addr"' in page
    assert 'value="half a note"' in page


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("subject", "News: {titel}", "the subject has {titel}, which is not filled in; there are {title}, {lead}"),
        ("subject", "For { first name }", "{ first name }"),
        ("introduction", "Dear {name}, hello", "the introduction has {name}: nothing is filled in there"),
        ("introduction", "![A pic](https://x.example/a.png)", "the introduction has a picture"),
        ("sponsor", "{sponsor}", "the sponsor&#39;s line has {sponsor}"),
    ],
)  # fmt: skip
def test_words_that_would_be_sent_as_they_stand_are_refused_with_what_to_write(
    newsdesk: Newsdesk, field: str, typed: str, said: str
) -> None:
    mara = newsdesk.sign_in()
    answer = mara.do("shape", **(TYPED | {field: typed}), do="save")

    assert answer.status_code == 400
    assert said.lower() in answer.text.lower()
    assert typed in answer.text
    assert words(newsdesk) == ("", "", "")
    assert mara.do("shape", subject="{title}: {lead}, {date} of {publication}",
                   introduction="Write `{name}` so.", do="save").status_code == 303  # fmt: skip


def test_a_hold_is_taken_though_the_words_cannot_be_saved(newsdesk: Newsdesk) -> None:
    mara, ben = newsdesk.sign_in(), newsdesk.sign_in(BEN)
    seen = ben.token()
    mara.do("shape", subject="Mara's", introduction="", do="save")

    answer = ben.do("hold", seen, subject="Ben's", introduction="")

    assert answer.status_code == 409
    assert "The edition is on hold." in answer.text
    assert 'value="Ben&#39;s"' in answer.text
    assert (find_draft(newsdesk).held_by, find_draft(newsdesk).subject) == (BEN, "Mara's")


def test_undo_takes_back_one_act_after_the_other_and_keeps_what_is_being_typed(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    mara.do("shape", do="up 3")
    mara.do("shape", do="hide 1")
    assert titles(mara.get().text) == ["Crete", "Baltic", "Danube"]

    mara.do("shape", do="undo", subject="Being typed", introduction="")
    assert titles(mara.get().text) == ["Alps", "Crete", "Baltic", "Danube"]
    mara.do("shape", do="undo")
    mara.do("shape", do="undo")

    assert titles(mara.get().text) == ["Alps", "Baltic", "Crete", "Danube"]
    assert words(newsdesk)[0] == ""
    refused = mara.do("shape", do="undo")
    assert "There is nothing to undo" in refused.text


def test_reset_order_lets_the_rule_decide_again(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    mara.do("shape", do="lead 4")
    mara.do("shape", do="reset")

    assert titles(mara.get().text) == ["Alps", "Baltic", "Crete", "Danube"]


def test_a_moved_article_leaves_the_places_above_it_to_later_news(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    mara.do("shape", do="up 4")
    assert titles(mara.get().text) == ["Alps", "Baltic", "Danube", "Crete"]

    newsdesk.publish("Etna", hours=0.1)

    assert titles(mara.get().text) == ["Etna", "Alps", "Danube", "Baltic", "Crete"]
    assert find_draft(newsdesk).arranged == [0, 0, 4]


def test_a_note_to_colleagues_is_in_the_activity_and_cancels_no_approval(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    mara.do("approve")

    newsdesk.sign_in(BEN).do("note", note="The lead <b>may</b> change")

    assert find_draft(newsdesk).is_approved
    assert "noted: The lead &lt;b&gt;may&lt;/b&gt; change" in mara.get().text


def test_an_article_is_found_by_words_of_its_title_and_added(newsdesk: Newsdesk) -> None:
    old = newsdesk.publish("The harbour bridge reopens", "house", hours=24 * 90)
    mara = newsdesk.sign_in()
    fragment = mara.get(f"{Newsdesk.PATH}/find?q=bridge+harb").text
    assert "The harbour bridge reopens" in fragment
    assert "No stored article" in mara.get(f"{Newsdesk.PATH}/find?q=nowhere").text

    page = mara.do("add", named="harbour bridge", reach="all", **TYPED)
    assert page.status_code == 200
    assert f'name="pick" value="{old}"' in page.text
    mara.do("add", pick=str(old), named="harbour bridge", reach="all")

    assert titles(mara.get().text)[0] == "The harbour bridge reopens"


def test_an_article_is_shown_otherwise_in_one_edition_and_stays_as_its_source_has_it(
    newsdesk: Newsdesk,
) -> None:
    mara = newsdesk.sign_in()
    assert mara.do("edit/1", title="", summary="x").status_code == 400
    seen = mara.token()
    mara.do("edit/1", seen, title="High Alps", summary="Snow came early.", section="science")

    ben = newsdesk.sign_in(BEN)
    late = ben.do("edit/1", {**seen, "form": ben.token()["form"]}, title="X")
    assert late.status_code == 409
    assert "changed the title, summary, section" in late.text
    page = mara.get().text
    assert "High Alps" in page
    assert "(source: Alps)" in page
    assert "changed the title, summary, section of “Alps” for this edition" in page
    preview = mara.get(f"{Newsdesk.PATH}/preview/frame").text
    assert "High Alps" in preview
    assert "Snow came early." in preview
    mara.do("edit/1", title="Alps", summary="In short: 1.", section="world", do="restore")
    assert find_draft(newsdesk).changes == {}


def test_sections_stand_in_the_order_that_an_editor_gives_them_on_the_desk_and_in_the_message(
    newsdesk: Newsdesk,
) -> None:
    newsdesk.publish("Fossils", "science", hours=6)
    mara = newsdesk.sign_in()
    assert titles(mara.get().text) == ["Alps", "Baltic", "Crete", "Danube", "Fossils"]

    mara.do("shape", do="section-up science")

    assert titles(mara.get().text) == ["Alps", "Fossils", "Baltic", "Crete", "Danube"]
    frame = mara.get(f"{Newsdesk.PATH}/preview/frame").text
    assert frame.rindex("Fossils") < frame.rindex("Baltic")
    assert "cannot be moved there" in mara.do("shape", do="section-up science").text


def test_the_desk_dates_an_edition_by_its_deadline(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()  # it is Sunday evening, and the deadline on Monday

    assert "23 November 2026" in mara.get().text
    assert "Monday, November 23, 2026" in mara.get(f"{Newsdesk.PATH}/preview/frame").text


def test_the_line_up_of_one_reader_is_shown(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("bo@readers.example", "science")
    newsdesk.publish("Fossils", "science", hours=6)
    mara = newsdesk.sign_in()

    page = mara.get(f"{Newsdesk.PATH}?reader=bo@readers.example").text

    assert titles(page) == ["Fossils"]
    assert "has no subscription" in mara.get(f"{Newsdesk.PATH}?reader=no@readers.example").text


def test_one_sentence_tells_where_an_edition_stands(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    assert "Sends Mon 23 Nov, 07:00 unless held." in mara.get().text
    mara.do("hold")
    assert f"On hold by {MARA}; it is not sent until somebody releases it." in mara.get().text
    newsdesk.compile()
    mara = newsdesk.sign_in()
    assert f"Held since Mon 23 Nov, 07:00: held by {MARA}." in mara.get().text
    mara.do("approve")
    page = mara.get().text
    assert f"Approved by {MARA}; the next run sends it." in page
    assert "Held since" not in page


def test_a_sponsors_line_is_marked_as_an_advertisement_in_the_readers_language(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    mara.do("shape", **TYPED, do="save")

    english = mara.get(f"{Newsdesk.PATH}/preview/frame").text
    german = mara.get(f"{Newsdesk.PATH}/preview/frame?language=de").text

    assert "Advertisement:</strong> Tea by <a" in english
    assert "Anzeige:</strong> Tea by <a" in german
    newsdesk.compile()
    archive = newsdesk.visitor().get("/archive/world/daily/2026-11-23").text
    assert "Advertisement:</strong> Tea by <a" in archive


def test_a_long_introduction_in_any_script_is_taken(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    answer = mara.do("shape", subject="", introduction="\u65b0" * 9_000, do="save")
    assert answer.status_code == 303
    assert mara.get(f"{Newsdesk.PATH}/preview?at=0001-01-01T00:00").status_code == 400


def test_an_article_to_add_is_found_by_its_topic_its_source_and_its_day(newsdesk: Newsdesk) -> None:
    day = newsdesk.clock() - timedelta(days=90)
    newsdesk.publish("Glass sponges", "science", hours=24 * 90, published_at=day)
    newsdesk.publish("Town meeting", "world", hours=24 * 90, published_at=day)
    newsdesk.publish("A gone one", "science", hours=24 * 90, hidden_at=newsdesk.clock())
    newsdesk.publish("Science prize", "culture", hours=24)
    mara = newsdesk.sign_in()

    def found(words: str) -> list[str]:
        fragment = mara.get(f"{Newsdesk.PATH}/find?q={words}").text
        return re.findall(r"<h3[^>]*>([^<]*)</h3>", fragment)

    assert found("science") == ["Science prize", "Glass sponges"], "those with the word come first"
    assert found("sponges+science") == ["Glass sponges"]
    assert found(f"{day:%Y-%m-%d}") == ["Town meeting", "Glass sponges"]
    assert found("newsroom+world") == ["Town meeting", "Danube", "Crete", "Baltic", "Alps"]
    assert found("science+nowhere") == []

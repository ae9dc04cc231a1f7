"""Free blocks: editors' own texts between the articles of an edition."""

import pytest

from digest.models import Draft, EditionName
from digest.store.editions import drafts, editions
from digest.tasks.desk.agenda import find_entry
from digest.tasks.desk.proofs import look
from digest.tasks.editions.preview import Viewer
from tests.support.desks import BEN, MARA, Newsdesk, Visitor

PATH, NEW = Newsdesk.PATH, f"{Newsdesk.PATH}/block/new"
TEXT = "The *bells* are silent. [Why](https://courier.example/bells)"


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe("anna@readers.example")
    for hours, (title, topic) in enumerate([("Alps", "world"), ("Baltic", "science"), ("Crete", "world")], 1):
        newsdesk.publish(title, topic, hours=hours)
    return newsdesk


def draft_of(newsdesk: Newsdesk) -> Draft:
    with newsdesk.app.database.read() as session:
        return drafts.find_or_new(session, "world", "daily", "2026-11-23")


def parts(newsdesk: Newsdesk, *topics: str) -> tuple[str, str]:
    """Return the HTML and the text of the edition for a reader of some topics."""
    name = EditionName("world", "daily", "2026-11-23")
    with newsdesk.app.database.read() as session:
        entry = find_entry(session, newsdesk.settings, name, newsdesk.clock())
    assert entry is not None
    return look(newsdesk.app.desk, entry, Viewer(topics=topics), entry.deadline_at).parts()


def add(who: Visitor, place: str, text: str = TEXT) -> None:
    answer = who.client.post(NEW, data={**who.token(PATH), "place": place, "text": text, "do": "save"})
    assert answer.status_code == 303, answer.text


def in_order(document: str, *texts: str) -> bool:
    places = [document.index(text) for text in texts]
    return places == sorted(places)


def test_a_block_stands_between_the_articles_in_html_in_text_and_in_the_archive(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)

    add(ben, "science")

    html, text = parts(newsdesk)
    assert in_order(html, "Alps", "Baltic", "The <em>bells</em> are silent.")
    assert in_order(text, "Alps", "Baltic", "bells", "https://courier.example/bells")
    assert "The <em>bells</em> are silent." in ben.get(PATH).text
    newsdesk.compile()
    with newsdesk.app.database.read() as session:
        edition = editions.find_edition(session, "world", "daily", "2026-11-23")
    assert edition is not None
    assert edition.blocks == [{"place": "science", "text": TEXT}]
    assert "The <em>bells</em> are silent." in newsdesk.visitor().get("/archive/world/daily/2026-11-23").text


def test_a_reader_without_the_section_sees_the_block_where_that_would_end(newsdesk: Newsdesk) -> None:
    add(newsdesk.sign_in(BEN), "science")

    html, _ = parts(newsdesk, "world")

    assert "Baltic" not in html
    assert "The <em>bells</em> are silent." in html


def test_a_block_is_changed_removed_and_that_is_undone(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    add(ben, "*lead", "First")
    add(ben, "*end", "Second")

    ben.do("block/0", path=PATH, do="save", place="*end", text="Changed")
    assert [block["text"] for block in draft_of(newsdesk).blocks] == ["Changed", "Second"]
    ben.do("block/0", path=PATH, do="remove", place="*end", text="Changed")
    assert [block["text"] for block in draft_of(newsdesk).blocks] == ["Second"]
    ben.do("shape", do="undo")

    assert [block["text"] for block in draft_of(newsdesk).blocks] == ["Changed", "Second"]
    assert "removed free block 1" in ben.get(PATH).text


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [
        ("*end", "  ", "A free block needs a text"), ("*end", "x" * 5_001, "has 5001 characters"),
        ("*end", "Dear {name}", "nothing is filled in there"), ("nowhere", "Hello", "is not a section of this digest"),
        ("*end", "![x](https://evil.example/p.png)", "has a picture"),
    ],
)  # fmt: skip
def test_what_cannot_stand_there_is_refused_and_stays_typed(
    newsdesk: Newsdesk, place: str, text: str, said: str
) -> None:
    ben = newsdesk.sign_in(BEN)

    answer = ben.client.post(NEW, data={**ben.token(PATH), "place": place, "text": text, "do": "save"})

    assert (answer.status_code, said in answer.text) == (400, True)
    assert text[:100] in answer.text
    assert draft_of(newsdesk).blocks == []


def test_markup_in_a_block_runs_nothing(newsdesk: Newsdesk) -> None:
    add(newsdesk.sign_in(BEN), "*lead", "<script>x()</script> [go](javascript:x())")

    html, _ = parts(newsdesk)

    assert "<script>x()" not in html
    assert 'href="javascript' not in html


def test_of_two_people_the_second_sees_what_the_first_did(newsdesk: Newsdesk) -> None:
    ben, mara = newsdesk.sign_in(BEN), newsdesk.sign_in(MARA)
    seen = ben.token(PATH)
    mara.do("shape", do="pin 2")

    late = ben.client.post(NEW, data={**seen, "place": "*end", "text": "Ben's words", "do": "save"})

    assert late.status_code == 409
    assert "This edition changed while you were working on it" in late.text
    assert "Ben&#39;s words" in late.text
    assert draft_of(newsdesk).blocks == []


def test_an_unknown_button_previews_a_block_and_changes_nothing(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    add(ben, "science")

    for page, do in (
        (NEW, "xyz"),
        (NEW, ""),
        (NEW, "remove"),
        (f"{PATH}/block/0", "xyz"),
        (f"{PATH}/block/0", ""),
    ):
        typed = {"place": "world", "text": "Words of *ours*", "do": do}
        answer = ben.client.post(page, data={**ben.token(PATH), **typed})
        assert answer.status_code == 200, (page, do)
        assert "Words of *ours*</textarea>" in answer.text
        assert "Words of <em>ours</em>" in answer.text
        assert draft_of(newsdesk).blocks == [{"place": "science", "text": TEXT}], (page, do)


def test_an_unknown_button_changes_no_article(newsdesk: Newsdesk) -> None:
    ben, page = newsdesk.sign_in(BEN), f"{PATH}/edit/1"
    ben.do("edit/1", title="High Alps", summary="", section="world", do="save")
    kept = draft_of(newsdesk).changes

    for do in ("xyz", "Restore", "look"):
        typed = {"title": "A title of ours", "summary": "", "section": "world", "do": do}
        answer = ben.client.post(page, data={**ben.token(page), **typed})
        assert answer.status_code == 400, do
        assert "This button is not known; reload the page" in answer.text
        assert 'value="A title of ours"' in answer.text
        assert draft_of(newsdesk).changes == kept != {}

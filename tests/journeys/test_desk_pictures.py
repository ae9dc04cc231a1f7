"""Pictures that editors upload for an article in one edition."""

import io

import pytest
from httpx2 import Response
from PIL import Image
from sqlmodel import select

from digest.models import Draft, EditionName, Picture
from digest.store.articles import images
from digest.store.editions import drafts, editions
from digest.tasks.articles.withdrawing import withdraw
from digest.tasks.desk.agenda import find_entry
from digest.tasks.desk.proofs import look
from digest.tasks.editions.preview import Viewer
from tests.support.desks import BEN, Newsdesk, Visitor

EDIT, PICTURE = f"{Newsdesk.PATH}/edit/1", f"{Newsdesk.PATH}/picture/1"


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe("anna@readers.example")
    newsdesk.publish("Alps")
    newsdesk.publish("Baltic", hours=9, image_url="https://courier.example/baltic.jpg", image_alt="Waves")
    return newsdesk


def photograph() -> bytes:
    """Return a JPEG that says where it was taken."""
    image, exif = Image.new("RGB", (2_000, 1_000), "navy"), Image.Exif()
    exif[0x010E] = "taken at home"
    written = io.BytesIO()
    image.save(written, "JPEG", exif=exif)
    return written.getvalue()


def upload(
    who: Visitor, seen: dict[str, str] | None = None, content: bytes | None = None, alt: str = "A peak"
) -> Response:
    file = ("peak.jpg", photograph() if content is None else content, "image/jpeg")
    return who.client.post(
        PICTURE, data={**(seen or who.token(EDIT)), "image_alt": alt}, files={"file": file}
    )


def draft_of(newsdesk: Newsdesk) -> Draft:
    with newsdesk.app.database.read() as session:
        return drafts.find_or_new(session, "world", "daily", "2026-11-23")


def html(newsdesk: Newsdesk) -> str:
    with newsdesk.app.database.read() as session:
        entry = find_entry(
            session, newsdesk.settings, EditionName("world", "daily", "2026-11-23"), newsdesk.clock()
        )
    assert entry is not None
    return look(newsdesk.app.desk, entry, Viewer(), entry.deadline_at).parts()[0]


def test_an_uploaded_picture_is_copied_small_and_shown_in_this_edition_alone(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)

    answer = upload(ben)

    assert answer.headers["location"] == f"{EDIT}?said=picture"
    name = draft_of(newsdesk).changes["1"]["image"].removeprefix("upload:")
    shown = ben.get(f"/images/{name}.jpg")
    with Image.open(io.BytesIO(shown.content)) as small:
        assert small.width <= 1_072
        assert not dict(small.getexif())
    message = html(newsdesk)
    assert f'src="https://courier.example/images/{name}.jpg"' in message
    assert 'alt="A peak"' in message
    newsdesk.compile()
    with newsdesk.app.database.read() as session:
        edition = editions.find_edition(session, "world", "daily", "2026-11-23")
        assert edition is not None
        assert edition.changes["1"]["image_alt"] == "A peak"
    assert f"/images/{name}.jpg" in newsdesk.visitor().get("/archive/world/daily/2026-11-23").text


@pytest.mark.parametrize(
    ("content", "alt", "said"),
    [
        (b"", "A peak", "Choose the file of the picture."), (None, " ", "Describe the picture for those"),
        (b"<svg onload=alert(1)>", "A peak", "It is not a picture of a kind that is copied"),
        (b"GIF89a\x01\x00", "A peak", "picture"), (None, "x" * 501, "The description has 501 characters"),
    ],
)  # fmt: skip
def test_what_is_no_described_picture_is_refused_and_the_words_stay(
    newsdesk: Newsdesk, content: bytes | None, alt: str, said: str
) -> None:
    answer = upload(newsdesk.sign_in(BEN), content=content, alt=alt)

    assert answer.status_code == 400
    assert said in answer.text
    assert f'value="{alt}"' in answer.text
    assert draft_of(newsdesk).version == 0


def test_saving_the_words_keeps_the_picture_and_undo_takes_it_away(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    upload(ben)

    ben.do("edit/1", title="Alps at dawn", summary="", section="world", picture="1", image_alt="A high peak")
    assert draft_of(newsdesk).changes["1"]["image"].startswith("upload:")
    assert 'alt="A high peak"' in html(newsdesk)
    refused = ben.do("edit/1", title="Alps", summary="", section="world", picture="1", image_alt="")
    assert "Describe the picture" in refused.text
    ben.do("shape", do="undo")
    ben.do("shape", do="undo")

    assert draft_of(newsdesk).changes == {}
    assert "/images/" not in html(newsdesk)


def test_of_two_people_the_second_sees_what_the_first_did(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    seen = ben.token(EDIT)
    ben.do("shape", do="pin 2")

    late = upload(ben, seen)

    assert late.status_code == 409
    assert "This edition changed while you were working on it" in late.text
    assert 'value="A peak"' in late.text
    assert draft_of(newsdesk).changes == {}


def test_the_uploads_of_a_withdrawn_article_are_deleted_and_no_others(newsdesk: Newsdesk) -> None:
    upload(newsdesk.sign_in(BEN))
    with newsdesk.app.database.write() as session:
        assert images.forget_unused(session) == 0

    withdraw(newsdesk.app.database, "1", "wrong", newsdesk.clock)

    with newsdesk.app.database.read() as session:
        assert session.exec(select(Picture)).all() == []

"""Pictures in messages and in the archive: linked from their own house, copied, or left out."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlmodel import select

from digest.articles import thumbnails
from digest.bootstrap import Application
from digest.models import Article, Picture
from digest.settings import SourceSettings, load_settings
from digest.tasks.articles import withdrawing
from digest.tasks.articles.images import copy_pictures
from digest.tasks.editions.preview import Viewer, preview
from digest.web.app import create_app
from tests.conftest import write_config
from tests.support.websites import Website, page

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def picture(kind: str, width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, kind)
    return out.getvalue()


class Desk:
    """An application with one article in it, and a server with pictures."""

    def __init__(self, folder: Path, database_url: str, site: Website, images: str) -> None:
        config = write_config(folder, database_url)
        text = config.read_text().replace("[site]", f'[site]\nimages = "{images}"')
        config.write_text(text)
        self.site, self.settings = site, load_settings(config)
        self.app = Application(self.settings, clock=lambda: NOW)

    def add(self, picture: str, title: str = "Bridge") -> None:
        url = f"https://courier.example/{title}"
        with self.app.database.write() as session:
            session.add(Article(
                source="newsroom", canonical_url=url, url=url, content_hash=title, title=title,
                first_seen_at=NOW - HOUR, topics=["world"], image_url=picture, image_alt="The bridge",
                html='<p>Text <img src="https://tracker.example/p.gif"></p>', text="Text",
            ))  # fmt: skip

    def copy(self, now: datetime = NOW) -> dict[str, str]:
        private = frozenset({"127.0.0.1"})
        return dict(copy_pictures(self.app.database, self.settings, now, private_hosts=private))

    def html(self, at: datetime = NOW + HOUR) -> str:
        digest = self.settings.digest("world")
        shown = preview(
            self.app.database, self.settings, self.app.composer, digest, cadence=None, view=Viewer(), at=at
        )
        return shown.parts()[0]


@pytest.fixture
def open_desk(tmp_path: Path, database_url: str, site: Website) -> Iterator[Callable[[str], Desk]]:
    desks: list[Desk] = []

    def open_one(images: str) -> Desk:
        desks.append(Desk(tmp_path, database_url, site, images))
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.app.close()


@pytest.fixture
def site() -> Iterator[Website]:
    site = Website()
    site.pages = {
        "/bridge.jpg": page(picture("JPEG", 2_000, 1_000), Content_Type="image/jpeg"),
        "/pixel.gif": page(picture("GIF", 1, 1), Content_Type="image/gif"),
    }
    with site:
        yield site


def test_a_picture_of_ones_own_house_is_linked_and_a_strangers_is_not(
    open_desk: Callable[[str], Desk], site: Website
) -> None:
    desk = open_desk("link")
    desk.add("https://media.courier.example/bridge.jpg")
    desk.add("https://tracker.example/open.gif", "Spy")

    html = desk.html()

    assert 'src="https://media.courier.example/bridge.jpg"' in html
    assert "tracker.example" not in html
    assert desk.copy() == {}
    assert site.requests == []


def test_pictures_are_decoded_one_at_a_time_in_one_thread_with_one_heap(
    open_desk: Callable[[str], Desk], site: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, at_once, threads = open_desk("copy"), [], set()
    inside = threading.Semaphore(0)

    def shrink(content: bytes) -> thumbnails.Shrunk:
        threads.add(threading.get_ident())
        inside.release()
        time.sleep(0.02)
        at_once.append(inside._value)
        inside.acquire()
        return thumbnails.Shrunk(content, 40, 40)

    monkeypatch.setattr(thumbnails, "shrink", shrink)
    for number in range(6):
        site.pages[f"/{number}.jpg"] = page(b"x%d" % number)
        desk.add(f"{site.url}/{number}.jpg", str(number))

    assert desk.copy() == {}
    assert at_once == [1] * 6
    assert threads == {threading.get_ident()}


def test_a_picture_of_a_private_address_is_not_asked_for_though_a_source_there_is_vouched_for(
    open_desk: Callable[[str], Desk], site: Website
) -> None:
    desk = open_desk("copy")
    source = SourceSettings(name="intranet", url=f"{site.url}/feed", allow_private=True)
    desk.add(f"{site.url}/bridge.jpg")

    failed = copy_pictures(desk.app.database, desk.settings.model_copy(update={"sources": (source,)}), NOW)

    assert "private address" in failed[f"{site.url}/bridge.jpg"]
    assert site.requests == []


def test_none_leaves_them_out(open_desk: Callable[[str], Desk]) -> None:
    desk = open_desk("none")
    desk.add("https://media.courier.example/bridge.jpg")
    assert "<img" not in desk.html()


def test_a_copy_is_small_under_our_own_address_and_kept_for_good_by_whoever_has_it(
    open_desk: Callable[[str], Desk], site: Website
) -> None:
    desk = open_desk("copy")
    desk.add(f"{site.url}/bridge.jpg")
    assert "<img" not in desk.html()

    assert desk.copy() == {}

    with desk.app.database.read() as session:
        copy = session.exec(select(Picture)).one()
    assert (copy.width, copy.height) == (1_072, 536)
    assert f'src="https://courier.example/images/{copy.name}.jpg"' in desk.html()
    client = TestClient(create_app(desk.app.readers, desk.settings))
    answer = client.get(f"/images/{copy.name}.jpg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content == copy.content
    for wrong in (f"{copy.name}.png", "0" * 32 + ".jpg", "..%2f..%2fconfig.toml"):
        assert client.get(f"/images/{wrong}").status_code == 404
    assert client.get(f"/images/{copy.name}.jpg%0a").status_code == 400, "a control character in a path"
    desk.copy()
    assert len(site.requests) == 1


def test_a_copy_counts_from_the_next_freeze_so_that_no_message_changes(
    open_desk: Callable[[str], Desk], site: Website
) -> None:
    desk = open_desk("copy")
    desk.add(f"{site.url}/bridge.jpg")
    desk.copy(NOW + 2 * HOUR)

    assert "<img" not in desk.html(NOW + HOUR)
    assert "<img" in desk.html(NOW + 3 * HOUR)


def test_what_cannot_be_copied_is_told_and_tried_again_later_but_not_for_ever(
    open_desk: Callable[[str], Desk], site: Website
) -> None:
    desk = open_desk("copy")
    for name in ("pixel.gif", "gone.jpg"):
        desk.add(f"{site.url}/{name}", name)
    private = copy_pictures(desk.app.database, desk.settings, NOW - 7 * HOUR)
    assert all("only public addresses" in why for why in private.values())

    failed = desk.copy()
    again = [len(desk.copy(NOW + hours * HOUR)) for hours in (1, 7, 14, 21, 28)]

    assert "shows nothing" in failed[f"{site.url}/pixel.gif"]
    assert "404" in failed[f"{site.url}/gone.jpg"]
    assert again == [0, 2, 2, 0, 0]
    assert "<img" not in desk.html()


def test_the_copy_of_a_withdrawn_article_is_gone_unless_another_shows_it(
    open_desk: Callable[[str], Desk], site: Website
) -> None:
    desk = open_desk("copy")
    desk.add(f"{site.url}/bridge.jpg", "One")
    desk.add(f"{site.url}/bridge.jpg", "Two")
    desk.copy()

    def count() -> int:
        with desk.app.database.read() as session:
            return len(list(session.exec(select(Picture))))

    withdrawing.withdraw(desk.app.database, "https://courier.example/One", "", lambda: NOW)
    assert count() == 1
    withdrawing.withdraw(desk.app.database, "https://courier.example/Two", "", lambda: NOW)
    assert count() == 0

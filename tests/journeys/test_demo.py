"""The first hour: `digest demo` in an empty folder ends with each due reader's own digest in the outbox."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digest.bootstrap import Application
from digest.clock import utc_now
from digest.demo.loader import COMING, EDITOR, free_port, password_of, prepare, start_catcher
from digest.demo.stories import add_stories
from digest.models.status import Status
from digest.rules.readers.address import normalise
from digest.scheduler import Ticker
from digest.settings import load_settings
from digest.tasks.doctor.examination import about_demo
from digest.tasks.doctor.findings import fail, ok
from digest.tasks.doctor.scope import Scope
from digest.tasks.editions.preflight import visit
from digest.web.app import create_app
from tests.support.desks import hidden
from tests.support.newsroom import run_command
from tests.support.readers import hidden_fields
from tests.support.standards import check_digest, parse
from tests.support.websites import Website, page

POSTAL = "The Harbour Courier, 1 Quay Street, Harbourtown"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "x"
    out, _ = run_command("demo", "--no-serve", "--dir", str(folder))
    return folder, out


@pytest.fixture(scope="module")
def messages(demo: tuple[Path, str]) -> dict[str, bytes]:
    """Return each reader's one message."""
    found = [path.read_bytes() for path in (demo[0] / "outbox").glob("*.eml")]
    by_reader = {str(parse(raw)["To"].addresses[0].addr_spec): raw for raw in found}
    assert len(by_reader) == len(found), "one message a reader"
    return by_reader


def sample(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "newsroom" / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        return {normalise(row["email"]).address: row for row in csv.DictReader(file)}


def facts(folder: Path, *arguments: str) -> object:
    out, _ = run_command(*arguments, "--json", "--config", str(folder / "config.toml"))
    return json.loads(out)


def test_each_sample_reader_has_one_message(demo: tuple[Path, str], messages: dict[str, bytes]) -> None:
    readers = sample(demo[0])
    assert len(readers) >= 25
    assert set(messages) == set(readers)


def test_each_message_keeps_the_standards(messages: dict[str, bytes]) -> None:
    for raw in messages.values():
        check_digest(raw, POSTAL)


def test_no_reader_gets_an_article_outside_their_topics(
    demo: tuple[Path, str], messages: dict[str, bytes]
) -> None:
    stored = facts(demo[0], "articles", "list")
    assert isinstance(stored, list)
    assert len(stored) >= 36
    for address, row in sample(demo[0]).items():
        text, _ = check_digest(messages[address], POSTAL)
        inside = [article for article in stored if article["url"] in text.split()]
        assert inside, address
        if row["topics"]:
            wanted = set(row["topics"].split(";"))
            assert all(wanted & set(article["topics"]) for article in inside), address


def test_each_name_stands_in_its_message_as_it_is_written(
    demo: tuple[Path, str], messages: dict[str, bytes]
) -> None:
    for address, row in sample(demo[0]).items():
        assert parse(messages[address])["To"].addresses[0].display_name == row["name"]


def test_the_summary_says_how_many_and_where(demo: tuple[Path, str]) -> None:
    folder, out = demo
    assert "articles from 2 sources, 25 readers" in out
    assert "25 messages accepted, 0 failed" in out
    assert str(folder / "outbox") in out


def test_the_demo_is_accounted_for_and_run_again_it_goes_on(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    report = facts(folder, "audit")
    assert isinstance(report, dict)
    assert report["ok"] is True
    before = len(list((folder / "outbox").glob("*.eml")))

    run_command("demo", "--no-serve", "--dir", str(folder))

    assert len(list((folder / "outbox").glob("*.eml"))) == before


@dataclass
class LivingDemo:
    """A demo whose pages and ticks a test drives."""

    folder: Path
    app: Application
    client: TestClient

    def tick(self) -> list[bytes]:
        """Do what is due, and return the mail that this brought."""
        before = set((self.folder / "outbox").glob("*.eml"))
        Ticker(self.app).tick()
        return [path.read_bytes() for path in sorted(set((self.folder / "outbox").glob("*.eml")) - before)]


@pytest.fixture(scope="module")
def living(demo: tuple[Path, str], messages: dict[str, bytes]) -> Iterator[LivingDemo]:
    """Start the demo again after its first edition, as `digest demo` does that serves."""
    catcher, settings = start_catcher(load_settings(demo[0] / "config.toml"), demo[0])
    app = Application(settings)
    pages = create_app(app.readers, settings, desk=app.desk, quickest=timedelta())
    add_stories(pages, app, demo[0])
    yield LivingDemo(demo[0], app, TestClient(pages, base_url=settings.site.base_url))
    catcher.stop()
    app.close()


def test_each_link_and_picture_of_an_edition_opens_on_the_demos_own_pages(
    living: LivingDemo, messages: dict[str, bytes]
) -> None:
    stored = facts(living.folder, "articles", "list")
    assert isinstance(stored, list)
    urls = [article["url"] for article in stored]
    html = "".join(check_digest(raw, POSTAL)[1] for raw in messages.values())
    pictures = set(re.findall(r'src="([^"]+)"', html))

    assert pictures
    for url in (*urls, *pictures):
        assert url.startswith(living.app.settings.site.base_url + "/"), url
        assert living.client.get(url.partition("?")[0]).status_code == 200, url


def test_who_signs_up_has_mail_with_the_next_tick_and_after_confirming_an_edition(living: LivingDemo) -> None:
    form = hidden_fields(living.client.get("/").text)["form"]
    asked = {"form": form, "address": "me@readers.example", "digest": "world", "consent": "yes"}
    assert living.client.post("/subscribe", data=asked).status_code == 200
    (confirmation,) = living.tick()
    text = parse(confirmation).get_body(("plain",))
    assert text is not None
    found = re.search(r"http://localhost:\d+(/confirm/\S+)", text.get_content())
    assert found is not None
    confirm = hidden_fields(living.client.get(found[1]).text)
    assert living.client.post(found[1], data=confirm).status_code == 200

    (first,) = living.tick()
    assert str(parse(first)["To"]) == "me@readers.example"
    check_digest(first, POSTAL)


def test_the_editor_signs_in_with_the_printed_password_and_sends_the_second_edition(
    living: LivingDemo,
) -> None:
    client, origin = living.client, {"Origin": living.app.settings.site.base_url}
    form = hidden_fields(client.get("/desk/login").text)["form"]
    password = password_of(living.app.settings)
    given = {"form": form, "address": EDITOR, "password": password, "next": "/desk"}
    assert "Upcoming editions" in client.post("/desk/login", data=given, headers=origin).text
    path = re.findall(r'href="(/desk/world/daily/[^"]+)"', client.get("/desk").text)[0]
    edition = client.get(path).text
    coming = [line.split('"')[1] for name in COMING
              for line in (living.folder / "newsroom" / "articles" / name).read_text().splitlines()
              if line.startswith("title:")]  # fmt: skip
    assert [title for title in coming if title not in edition] == []

    assert living.tick() == []
    asked = client.get(f"{path}/publish").text
    sure = {name: hidden(asked, name) for name in ("form", "version")}
    answer = client.post(f"{path}/publish", data=sure, headers=origin)

    assert answer.status_code == 200, answer.text
    assert len(living.tick()) >= 10


def test_a_demo_whose_port_is_changed_links_to_the_new_one(tmp_path: Path) -> None:
    first = prepare(tmp_path, "s" * 20, utc_now())
    config, port = tmp_path / "config.toml", first.web.port
    text = config.read_text()
    config.write_text(text.replace(f"[web]\nport = {port}", f"[web]\nport = {port + 1}"))

    moved = prepare(tmp_path, "", utc_now())

    assert load_settings(config).site.base_url == f"http://localhost:{port + 1}"
    texts = [path.read_text() for path in (tmp_path / "newsroom").glob("*/*.md")]
    linked = {link for text in texts for link in re.findall(r"http://localhost:\d+", text)}
    assert linked == {moved.site.base_url}


def test_the_checks_look_at_our_own_pages_and_at_no_other_private_address() -> None:
    with Website() as own, Website() as other:
        own.pages["/a.png"] = other.pages["/a.png"] = page(b"x", Content_Type="image/png")
        found = visit([f"{own.url}/a.png", f"{other.url}/a.png"], own.url)

    assert found[f"{own.url}/a.png"].kind == "image/png"
    assert "private" in found[f"{other.url}/a.png"].trouble
    assert other.requests == []


def test_doctor_says_of_a_demo_that_has_ended_what_it_is_and_finds_no_fault_of_relays(tmp_path: Path) -> None:
    app = Application(prepare(tmp_path, "s" * 20, utc_now()))
    scope = Scope(app.settings, app.relay, lambda: app.renderer, utc_now)
    assert not scope.is_demo
    (tmp_path / "outbox").mkdir()
    assert scope.is_demo

    found = about_demo(
        [ok("disk", "all is well"), fail("relay", "127.0.0.1:2525 cannot be used", "look at the firewall"),
         fail("spf", "courier.example has no SPF record", "publish one"), fail("pages", "does not answer", "run it")],
        scope,
    )  # fmt: skip

    assert [(one.check, one.status) for one in found] == [("disk", Status.OK), ("demo", Status.WARN)]
    assert "its mail catcher is not running" in found[1].found
    assert found[1].remedy == f"`digest demo --dir {tmp_path}` starts it again"
    assert about_demo([fail("database", "is locked", "wait")], scope)[0].status is Status.FAIL


def test_catch_names_the_option_that_chooses_another_port(tmp_path: Path) -> None:
    with Website() as taken:
        _, smtp = run_command("catch", "--dir", str(tmp_path), "--port", str(taken.port), code=2)
        _, web = run_command(
            "catch",
            "--dir",
            str(tmp_path),
            "--port",
            str(free_port(0)),
            "--web-port",
            str(taken.port),
            code=2,
        )

    assert smtp == f"port {taken.port} is taken; name another with --port\n"
    assert web == f"port {taken.port} is taken; name another with --web-port\n"


@pytest.mark.parametrize("way", ["--config", "DIGEST_CONFIG", "config.toml"])
def test_catch_listens_where_the_settings_send_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    config = prepare(tmp_path / "own", "s" * 20, utc_now()).folder / "config.toml"
    monkeypatch.chdir(config.parent if way == "config.toml" else tmp_path)
    if way == "DIGEST_CONFIG":
        monkeypatch.setenv(way, str(config))
    named = ["--config", str(config)] if way == "--config" else []
    written = config.read_text()

    with Website() as taken:
        for table, option, port in (("smtp", "--port", taken.port), ("web", "--web-port", taken.port - 1)):
            text = re.sub(r"(?m)^port = \d+", lambda _: f"port = {free_port(0)}", written)
            config.write_text(re.sub(rf"(\[{table}\]\n(?:host.*\n)?port = )\d+", rf"\g<1>{port}", text))
            _, said = run_command("catch", "--dir", "mail", *named, code=2)
            assert said == f"port {taken.port} is taken; name another with {option}\n"

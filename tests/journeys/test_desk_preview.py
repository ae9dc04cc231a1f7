"""Preview and proof: the very bytes that leave, shown so that nobody's links work, and mailed to be approved."""

import hashlib
import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from digest.errors import InputError
from digest.models import Delivery, DeliveryState, Edition, EditionName, Subscriber
from digest.rules.tokens import tokens
from digest.settings import Settings, load_settings
from digest.store.delivery import claims, deliveries
from digest.tasks.desk.agenda import find_entry
from digest.tasks.desk.editors import add_editor, remove_editor
from digest.tasks.desk.proofs import look
from digest.tasks.editions import fitting
from digest.tasks.editions.preview import Viewer, preview
from digest.web.desk.preview import as_scheme
from tests.conftest import write_config
from tests.support.desks import BEN, DAY, MARA, PASSWORD, Newsdesk
from tests.support.holding import hold_up
from tests.support.newsroom import Caught, parse

PREVIEW = f"{Newsdesk.PATH}/preview"
ANNA = "anna@readers.example"


@pytest.fixture
def relay() -> Iterator[Caught]:
    with Caught() as relay:
        yield relay


@pytest.fixture
def settings(tmp_path: Path, relay: Caught) -> Settings:
    config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
    text = config.read_text().replace(
        'timezone = "Europe/Paris"',
        'timezone = "Europe/Paris"\nalerts = ["Night desk <night@courier.example>"]',
    )
    config.write_text(text.replace("max_articles = 5", 'max_articles = 5\napproval = "require-approval"'))
    return load_settings(config)


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe(ANNA, name="Anna")
    for hours, title in enumerate(["Alps", "Baltic"], 1):
        newsdesk.publish(title, hours=hours)
    return newsdesk


def proof_link(relay: Caught, words: str) -> str:
    """Find a link in the last proof."""
    text = parse(relay.messages[-1][1]).get_body(("plain",))
    assert text is not None
    found = re.search(rf"{words}:\s+https://courier.example(/desk/proof/\S+)", text.get_content())
    assert found is not None, text.get_content()[:500]
    return found[1]


def test_the_preview_shows_the_hash_of_the_real_bytes_and_links_that_do_nothing(newsdesk: Newsdesk) -> None:
    app, at = newsdesk.app, newsdesk.clock()
    with app.database.read() as session:
        entry = find_entry(session, app.settings, EditionName("world", "daily", "2026-11-23"), at)
        anna = session.exec(select(Subscriber)).one()
    assert entry is not None
    real = look(app.desk, entry, Viewer(ANNA), at).message
    leave = tokens.sign(app.settings.web.signing_keys, tokens.UNSUBSCRIBE, anna.public_id, "world")
    assert leave.encode() in real.replace(b"=\r\n", b"")

    mara, asked = newsdesk.sign_in(), {"address": ANNA, "at": at.isoformat()}
    page = mara.client.get(PREVIEW, params=asked).text
    frame = mara.client.get(f"{PREVIEW}/frame", params=asked).text

    assert hashlib.sha256(real).hexdigest() in page
    for shown in (page, frame):
        assert leave not in shown
        assert "Anna" in shown
        assert "/unsubscribe/inert" in shown
    assert newsdesk.visitor().client.post("/unsubscribe/inert").status_code == 200
    assert look(app.desk, entry, Viewer(ANNA), at).message == real


def test_a_frame_runs_nothing_and_images_off_loads_none(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    on, off = (mara.client.get(f"{PREVIEW}/frame?images={value}").headers for value in "10")
    for headers, images in ((on, "img-src https: http: data:"), (off, "img-src 'none'")):
        policy = headers["content-security-policy"]
        assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
        assert images in policy
        assert "frame-ancestors 'self'" in policy
        assert "script" not in policy
    page = mara.client.get(PREVIEW).text
    assert '<iframe sandbox="allow-same-origin" data-message title=' in page


def test_dark_and_light_are_shown_whatever_the_browsers_own_scheme() -> None:
    page = '<meta name="color-scheme" content="light dark"><style>@media (prefers-color-scheme: dark) {a{}}</style>'
    assert as_scheme(page, dark=True) == page.replace("light dark", "dark").replace(
        "prefers-color-scheme: dark", "min-width: 0"
    )
    assert "(max-width: 0)" in as_scheme(page, dark=False)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("address=nobody@readers.example", "has no subscription"),
        ("address=no-address", "is not a mail address"),
        ("at=yesterday", "is not a time"),
        ("topics=culture", "Nothing is new for this reader"),
    ],
)
def test_what_cannot_be_previewed_says_why(newsdesk: Newsdesk, query: str, said: str) -> None:
    answer = newsdesk.sign_in().client.get(f"{PREVIEW}?{query}")
    assert answer.status_code == 400
    assert said in answer.text


def test_looking_at_a_preview_changes_nothing_and_needs_a_session(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    before = newsdesk.snapshot()
    for path in (PREVIEW, f"{PREVIEW}/frame", f"{Newsdesk.PATH}/proof"):
        for method in ("GET", "HEAD", "OPTIONS"):
            mara.client.request(method, path)
        assert newsdesk.visitor().get(path).status_code in (303, 405)
    assert newsdesk.snapshot() == before


def test_a_proof_is_approved_by_its_link_and_get_only_shows(newsdesk: Newsdesk, relay: Caught) -> None:
    assert newsdesk.sign_in().do("proof").status_code == 303
    message = parse(relay.messages[-1][1])
    assert (relay.recipients, message["Subject"]) == ([MARA], "[Proof] World Briefing: Alps")
    assert message["List-Unsubscribe"] is None
    html = message.get_body(("html",))
    assert html is not None
    assert "Approve it" in html.get_content()
    assert "/unsubscribe/inert" in html.get_content()
    link, visitor = proof_link(relay, "Approve it"), newsdesk.visitor()
    before = newsdesk.snapshot()

    page = visitor.get(link)

    assert "Approve World Briefing?" in page.text
    assert newsdesk.snapshot() == before
    assert visitor.client.post(link, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert newsdesk.snapshot() == before
    assert "Approved" in visitor.client.post(link).text
    (compiled, *_) = newsdesk.compile()
    assert (compiled.held, compiled.planned) == ("", 1)


def test_a_proofs_link_approves_only_what_it_showed(newsdesk: Newsdesk, relay: Caught) -> None:
    mara = newsdesk.sign_in()
    mara.do("proof")
    approve, hold = proof_link(relay, "Approve it"), proof_link(relay, "Hold it")
    mara.do("shape", subject="Another", introduction="", do="save")
    visitor = newsdesk.visitor()

    for answer in (visitor.get(approve), visitor.client.post(approve)):
        assert answer.status_code == 409
        assert "was changed after this proof" in answer.text
    assert "On hold" in visitor.client.post(hold).text
    (compiled, *_) = newsdesk.compile()
    assert compiled.held == f"held by {MARA}"


def test_a_proofs_link_ends_with_the_next_deadline_and_with_its_editor(
    newsdesk: Newsdesk, relay: Caught
) -> None:
    newsdesk.sign_in(BEN).do("proof")
    text = parse(relay.messages[-1][1]).as_string()
    assert "Approve it" not in text  # an editor does not approve
    hold = proof_link(relay, "Hold it")
    newsdesk.clock.now = datetime.fromisoformat("2026-11-24T07:00+01:00") - timedelta(seconds=1)
    newsdesk.compile(newsdesk.clock())
    assert newsdesk.visitor().get(hold).status_code == 200
    newsdesk.clock.now += timedelta(seconds=1)
    assert newsdesk.visitor().get(hold).status_code == 410
    newsdesk.clock.now -= DAY
    remove_editor(newsdesk.app.desk, BEN)
    assert newsdesk.visitor().get(hold).status_code == 410
    for made_up in ("x", hold[12:-2], "A" * 2000):
        assert newsdesk.visitor().get(f"/desk/proof/{made_up}").status_code == 410


def test_a_proof_that_the_relay_does_not_take_says_so(newsdesk: Newsdesk, relay: Caught) -> None:
    relay.__exit__()
    answer = newsdesk.sign_in().do("proof")
    relay.__enter__()
    assert answer.status_code == 502
    assert "The relay did not accept the message" in answer.text


def password_link(relay: Caught) -> str:
    """Find the link in the last invitation."""
    text = parse(relay.messages[-1][1]).get_body(("plain",))
    assert text is not None
    found = re.search(r"https://courier.example(/desk/password/\S+)", text.get_content())
    assert found is not None
    return found[1]


def test_an_invited_editor_sets_a_password_once_within_an_hour(newsdesk: Newsdesk, relay: Caught) -> None:
    from digest.models import Role
    from digest.tasks.desk.editors import invite

    desk = newsdesk.app.desk
    added = add_editor(desk, "cleo@courier.example", Role.EDITOR, None, newsdesk.clock())
    assert newsdesk.visitor().sign_in("cleo@courier.example", "").status_code == 400
    invite(desk, added.editor, newsdesk.clock())
    link = password_link(relay)
    visitor = newsdesk.visitor()
    form = re.search(r'name="form" value="([^"]+)"', visitor.get(link).text)
    assert form is not None
    data = {"form": form[1], "password": PASSWORD, "again": PASSWORD}

    assert visitor.client.post(link, data={**data, "form": ""}).status_code == 403
    assert (
        "12 to 200 characters"
        in visitor.client.post(link, data={**data, "password": "short", "again": "short"}).text
    )
    assert "do not match" in visitor.client.post(link, data={**data, "again": "x"}).text
    assert "Your password is set" in visitor.client.post(link, data=data).text
    assert visitor.client.post(link, data=data).status_code == 410
    assert visitor.sign_in("cleo@courier.example", PASSWORD).status_code == 303
    invite(desk, added.editor, newsdesk.clock())
    late = password_link(relay)
    newsdesk.clock.now += timedelta(hours=1)
    assert newsdesk.visitor().get(late).status_code == 410


def test_for_200_readers_at_three_instants_the_preview_is_what_is_composed(newsdesk: Newsdesk) -> None:
    app, digest = newsdesk.app, newsdesk.settings.digest("world")
    choices = [(), ("world",), ("science",), ("business", "culture"), ("world", "science")]
    languages = [None, "fr", "ar", "hy", "xx"]
    for number in range(200):
        newsdesk.subscribe(
            f"r{number}@readers.example",
            *choices[number % 5],
            language=languages[number // 5 % 5],
            name=f"R {number}",
        )
    mara, same = newsdesk.sign_in(), 0
    for day in range(3):
        for hours, topic in enumerate(["world", "science", "business", "culture", "world"], 1):
            newsdesk.publish(f"Day {day}, {topic} {hours}", topic, hours=hours)
        if day:
            mara.do(
                "shape",
                path=newsdesk.path(day),
                subject=f"Day {day} of {{publication}}",
                introduction="Dear *all*.",
                do="save",
            )
        mara.client.post(f"{newsdesk.path(day)}/approve", data=mara.token(newsdesk.path(day)))
        at = newsdesk.clock.now = datetime.fromisoformat("2026-11-23T06:00:30+00:00") + day * DAY
        with app.database.read() as session:
            addresses = [row.address for row in session.exec(select(Subscriber))]
        shown: dict[str, bytes] = {}
        for address in addresses:
            try:
                made = preview(
                    app.database,
                    app.settings,
                    app.composer,
                    digest,
                    cadence="daily",
                    view=Viewer(address),
                    at=at,
                )
                shown[address] = made.message
            except InputError:
                continue  # nothing is new for this reader
        newsdesk.compile(at)
        with app.worker(checked=False) as worker, app.database.write() as session:
            jobs = claims.claim(session.connection(), owner=worker.id, now=at, size=1_000)
            assert sorted(job.address for job in jobs) == sorted(shown)
            for number, job in enumerate(jobs):
                failed = number % 7 == day
                state = DeliveryState.FAILED if failed else DeliveryState.ACCEPTED
                session.exec(
                    update(Delivery)
                    .where(col(Delivery.id) == job.delivery_id)
                    .values(state=state, owner=None)
                )
                if failed:
                    deliveries._unplace(session, job)
        app.composer.expect(jobs)
        for job in jobs:
            assert app.composer.compose(job, at).content == shown[job.address]
            same += 1
        with app.database.write() as session:
            session.exec(update(Edition).values(state="finished", finished_at=at))
        mara = newsdesk.sign_in()
        newsdesk.clock.now = at + timedelta(hours=10)
        mara = newsdesk.sign_in()
    assert same > 500


def test_a_preview_says_that_articles_are_still_compared_and_comes_by_itself(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "_QUICKLY", 1)
    monkeypatch.setattr(fitting, "_PATIENCE", 0)
    goes_on = hold_up(monkeypatch, fitting, "compare_all")
    ben, asked = newsdesk.sign_in(BEN), f"{PREVIEW}?topics=world&address=anna%40readers.example"
    waiting, frame = ben.get(asked), ben.get(asked.replace("?", "/frame?"))
    goes_on.set()
    assert newsdesk.app.background.begin("after it", lambda: None, 30)
    found, framed = ben.get(asked), ben.get(asked.replace("?", "/frame?"))

    (onward,) = re.findall(r'<meta http-equiv="refresh" content="1; url=([^"]+)">', waiting.text)
    assert (waiting.status_code, html.unescape(onward)) == (200, asked)
    assert "Articles are being compared" in waiting.text
    assert (found.status_code, "Alps" in found.text, "refresh" in found.text) == (200, True, False)
    assert (frame.status_code, frame.headers["retry-after"], frame.headers["refresh"]) == (503, "1", "1")
    assert "Articles are being compared" in frame.text
    assert (framed.status_code, "Alps" in framed.text, "refresh" in framed.headers) == (200, True, False)

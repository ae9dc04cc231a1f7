"""Two people at once: the second one sees what the first one did, keeps what they typed, and changes nothing."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlmodel import select

from digest.models import Letter, Subscriber, WebhookEvent
from digest.settings import load_settings
from digest.tasks.inbound.letters import mark_done
from digest.tasks.readers import on_request
from digest.tasks.sources.desk_sources import WantedSource, add_source
from digest.tasks.webhooks.receivers import add_receiver
from tests.conftest import write_config
from tests.journeys.test_desk_pictures import photograph
from tests.journeys.test_desk_roles import routes
from tests.support.desks import MARA, OLGA, Clock, Newsdesk, Visitor

EDITION, READER = "/desk/{digest}/{cadence}/{period}", "/desk/readers/{reader}"
LETTER, SEGMENT = "/desk/letters/{letter}", "/desk/readers/segments/{segment}"
LIST, HOOK = "/desk/readers/import/{name}", "/desk/api/webhooks/{number}"
SOURCE = "/desk/sources/{source}"
TYPED = "Typed by the second one"


@dataclass(frozen=True)
class Form:
    """A form that brings a version along: what is typed in it, and which field has to stay typed."""

    fields: dict[str, str] = field(default_factory=dict)
    keeps: str = ""
    is_file: bool = False


WORDS = {"subject": TYPED, "introduction": "", "sponsor": ""}
VERSIONED: dict[str, Form] = {
    f"{EDITION}/shape": Form({"do": "save", **WORDS}, TYPED), f"{EDITION}/add": Form({"named": "2", **WORDS}, TYPED),
    f"{EDITION}/note": Form({"note": TYPED}, TYPED), f"{EDITION}/approve": Form(WORDS, TYPED),
    f"{EDITION}/to-preview": Form(WORDS, TYPED), f"{EDITION}/proof": Form(WORDS, TYPED),
    f"{EDITION}/preflight": Form(WORDS, TYPED), f"{EDITION}/let-go": Form(WORDS, TYPED),
    f"{EDITION}/to-publish": Form(WORDS, TYPED), f"{EDITION}/publish": Form(),
    f"{EDITION}/edit/{{number}}": Form({"title": TYPED, "summary": "", "section": "world"}, TYPED),
    f"{EDITION}/picture/{{number}}": Form({"image_alt": TYPED}, TYPED, is_file=True),
    f"{EDITION}/block/{{number}}": Form({"place": "*end", "text": TYPED, "do": "save"}, TYPED),
    f"{READER}/set": Form({"name": TYPED}, TYPED), f"{READER}/pause": Form({"digest": "world"}),
    f"{READER}/resume": Form({"digest": "world"}), f"{READER}/move": Form({"address": "new@readers.example"}, "new@readers.example"),
    f"{READER}/erase": Form({"address": "anna@readers.example"}),
    f"{LETTER}/answer": Form({"text": TYPED}, TYPED), f"{LETTER}/done": Form(),
    f"{LETTER}/print": Form({"text": TYPED, "edition": "world/daily"}, TYPED),
    f"{SEGMENT}/set": Form({"name": TYPED}, TYPED), f"{SEGMENT}/remove": Form(),
    f"{LIST}/check": Form({"consent": "agreed", "wording": TYPED}, TYPED), f"{LIST}/start": Form(), f"{LIST}/remove": Form(),
    f"{HOOK}/secret": Form(), f"{HOOK}/remove": Form(),
    f"{SOURCE}/set": Form({"title": TYPED}, TYPED), f"{SOURCE}/remove": Form({"hide": "yes"}),
}  # fmt: skip
"""The forms that change what somebody else may have changed, each with a version of what was shown."""

ELSEWHERE = {
    f"{EDITION}/hold": "holds whatever stands; test_drafts has what becomes of words typed beside it",
    f"{EDITION}/pause": "refused unless it is being delivered", f"{EDITION}/resume": "refused unless it is paused",
    f"{EDITION}/retry": "refused where nobody failed", f"{EDITION}/withdraw/{{number}}": "done again it changes nothing",
    f"{EDITION}/correct/{{number}}": "the same correction is sent once", f"{EDITION}/breaking/{{number}}": "nobody gets it twice",
    f"{READER}/leave": "stops mail whatever stands", f"{READER}/suppress": "stops mail whatever stands",
    f"{READER}/link": "adds a mail, takes nothing", "/desk/readers/unsuppress": "lifted once, then refused",
    "/desk/readers/add": "adds; choices of a known reader are kept", "/desk/readers/suppress": "stops mail whatever stands",
    f"{SEGMENT}/proof": "bound to the numbers that were shown, see test_desk_segments",
    "/desk/readers/segments": "adds; a name that is taken is refused", "/desk/readers/import": "adds",
    "/desk/readers/export": "changes nothing of anybody's", "/desk/articles/add": "adds; the same page is stored once",
    "/desk/articles/preview": "changes nothing", "/desk/sources/preview": "changes nothing",
    "/desk/sources/{source}/ask": "changes nothing",
    "/desk/sources/add": "adds; a name or an address that is taken is refused",
    "/desk/calendar/feed": "one's own, and names the feed that it replaces", "/desk/calendar/revoke": "one's own",
    "/desk/logout": "one's own", "/desk/end-others": "one's own",
    **{f"/desk/articles/{{article}}/{act}": "sets one mark; set twice it stands" for act in ("hide", "show", "pin", "unpin")},
    "/desk/api/make": "adds; a token is its maker's own", "/desk/api/{number}/revoke": "done again it changes nothing",
    "/desk/api/webhooks/add": "adds", f"{HOOK}/replay/{{message}}": "sent under its own id, by which receivers know it",
    **{f"{HOOK}/{act}": "sets one state; set twice it stands" for act in ("stop", "start")},
    "/desk/articles/{article}/split": "done again it is refused",
    **{f"/desk/sources/{{source}}/{act}": "sets one state; set twice it stands" for act in ("pause", "resume", "fetch")},
}  # fmt: skip
"""The other forms, each with why nobody loses anything by it."""

OPEN = ("/desk/login", "/desk/password/{token}")
"""Forms of nobody who is signed in."""


@pytest.fixture(scope="module")
def newsdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    folder = tmp_path_factory.mktemp("two")
    config = write_config(folder, f"sqlite:///{folder}/digest.db")
    config.write_text(
        config.read_text().replace("max_articles = 5", 'max_articles = 5\napproval = "require-approval"')
        + '\n[inbound]\naddress = "news@courier.example"\n'
    )
    newsdesk = Newsdesk(load_settings(config), Clock())
    for title in ("Alps", "Baltic"):
        newsdesk.publish(title)
    newsdesk.subscribe("anna@readers.example", name="Anna")
    with newsdesk.app.database.write() as session:
        session.add(
            Letter(at=newsdesk.clock(), sender="writer@readers.example", subject="Bells", text="Loud.")
        )
    add_receiver(
        newsdesk.app.database, newsdesk.settings, "https://hooks.example/", [WebhookEvent.LEFT], OLGA, newsdesk.clock()
    )  # fmt: skip
    wanted = WantedSource("https://harbour.example/feed", name="harbour")
    add_source(newsdesk.app.database, newsdesk.settings, wanted, OLGA, newsdesk.clock())
    yield newsdesk
    newsdesk.close()


@pytest.fixture(scope="module")
def olga(newsdesk: Newsdesk) -> Visitor:
    return newsdesk.sign_in(OLGA)


@pytest.fixture(scope="module")
def first(newsdesk: Newsdesk) -> Visitor:
    """Return somebody else's browser."""
    return newsdesk.sign_in(OLGA)


@pytest.fixture(scope="module")
def paths(newsdesk: Newsdesk, olga: Visitor) -> dict[str, str]:
    """Return what stands for each name in a path."""
    with newsdesk.app.database.read() as session:
        reader = session.exec(select(Subscriber.public_id)).one()
        letter = session.exec(select(Letter.id)).one()
    form = {"form": olga.token("/desk")["form"]}
    segment = olga.client.post("/desk/readers/segments", data={**form, "name": "All"}).headers["location"]
    files = {"file": ("a.csv", "email\nbert@readers.example\n", "text/csv")}
    listed = olga.client.post("/desk/readers/import", data={**form, "digest": "world"}, files=files)
    newsdesk.web.state.uploads.wait()
    return {
        "digest": "world", "cadence": "daily", "period": "2026-11-23", "number": "1", "reader": reader, "letter": str(letter),
        "source": "harbour", "segment": segment.rpartition("/")[2].partition("?")[0], "name": listed.headers["location"].rpartition("/")[2],
    }  # fmt: skip


def page_of(path: str, paths: dict[str, str]) -> str:
    """Return the page whose form posts there."""
    for page in (EDITION, READER, LETTER, SEGMENT, LIST, HOOK, SOURCE):
        if path.startswith(f"{page}/"):
            return page.format(**paths)
    raise AssertionError(path)


def act_of_the_first(
    newsdesk: Newsdesk, first: Visitor, path: str, paths: dict[str, str], number: int
) -> None:
    """Change what a form is about, as somebody else does meanwhile."""
    app, now = newsdesk.app, newsdesk.clock()
    page = page_of(path, paths)
    if path.startswith(EDITION):
        first.do("shape", path=page, do="save", subject=f"First {number}", introduction="", sponsor="")
    elif path.startswith(LETTER):
        newsdesk.clock.now = now.replace(microsecond=number)
        mark_done(app.database, int(paths["letter"]), MARA, newsdesk.clock())
    elif path.startswith(SEGMENT):
        first.do("set", path=page, name=f"All {number}")
    elif path.startswith(HOOK):
        newsdesk.clock.now = now.replace(microsecond=number)
        first.do("secret", path=page)
    elif path.startswith(SOURCE):
        first.do("set", path=page, title=f"Harbour {number}")
    elif path.startswith(LIST):
        first.do("check", path=page, digest="world", consent="ask")
        newsdesk.web.state.uploads.wait()
    else:
        on_request.set_choices(
            app.readers, "anna@readers.example", None, on_request.Change(name=f"Anna {number}"), now, {"desk": OLGA}
        )  # fmt: skip


def test_every_form_is_known_with_what_keeps_two_people_apart(newsdesk: Newsdesk) -> None:
    posted = {path for method, path in routes(newsdesk) if method == "POST"} - {*OPEN}

    assert posted - VERSIONED.keys() - ELSEWHERE.keys() == set(), "say here what keeps two people apart"
    assert (VERSIONED.keys() | ELSEWHERE.keys()) - posted == set(), "each is a form of the desk"


@pytest.mark.parametrize("path", VERSIONED)
def test_the_second_one_changes_nothing_unseen_and_keeps_what_they_typed(
    newsdesk: Newsdesk, olga: Visitor, first: Visitor, paths: dict[str, str], path: str
) -> None:
    form, page = VERSIONED[path], page_of(path, paths)
    number = list(VERSIONED).index(path)
    seen = olga.token(page)
    assert seen["version"], "the form brings a version along"
    act_of_the_first(newsdesk, first, path, paths, number)
    before = newsdesk.snapshot()

    files = {"file": ("a.jpg", photograph(), "image/jpeg")} if form.is_file else None
    answer = olga.client.post(path.format(**paths), data={**seen, **form.fields}, files=files)

    assert answer.status_code == 409
    assert newsdesk.snapshot() == before
    if form.keeps:
        assert form.keeps in html.unescape(answer.text)


@pytest.mark.parametrize("brought", [None, "", "x", "-1", "99999999999999999999", "é\0"])
def test_a_form_that_comes_without_its_version_or_with_a_made_up_one_changes_nothing(
    newsdesk: Newsdesk, olga: Visitor, paths: dict[str, str], brought: str | None
) -> None:
    for path, form in VERSIONED.items():
        page = page_of(path, paths)
        fields = {**olga.token(page), **form.fields}
        del fields["version"]
        if brought is not None:
            fields["version"] = brought
        before = newsdesk.snapshot()

        files = {"file": ("a.jpg", photograph(), "image/jpeg")} if form.is_file else None
        answer = olga.client.post(path.format(**paths), data=fields, files=files)

        assert answer.status_code in (400, 409), path
        assert newsdesk.snapshot() == before, path

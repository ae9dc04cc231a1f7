"""Programs that use the API: tokens, articles sent in, editions read; on both databases."""

from datetime import timedelta

import pytest

from digest.errors import InputError
from digest.models import ApiScope, Role
from digest.settings import Settings
from digest.store import editors
from digest.tasks.api.tokens import list_tokens, make_token, revoke_token
from digest.tasks.desk.editors import add_editor, remove_editor
from tests.support.api import EVERYTHING, Program, kind_of
from tests.support.desks import BEN, MARA, PASSWORD, Clock, Newsdesk
from tests.support.newsroom import run_command

SENT = {
    "url": "https://blog.example/harbour?utm_source=x", "title": "The harbour opens", "external_id": "wp-7",
    "html": "<p onclick=x>It <b>opens</b>.</p><script>alert(1)</script>", "topics": ["World"],
    "published_at": "2026-11-22T12:00:00+01:00", "author": "Ada",
}  # fmt: skip


@pytest.fixture
def program(newsdesk: Newsdesk) -> Program:
    return Program(newsdesk, EVERYTHING)


def test_an_article_that_is_sent_in_is_cleaned_and_stands_in_the_next_edition(
    newsdesk: Newsdesk, program: Program
) -> None:
    answer = program.post("/articles", SENT)

    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"/api/v1/articles/{told['id']}"
    assert told["html"] == "<p>It <b>opens</b>.</p>"
    assert (told["url"], told["source"], told["external_id"]) == (
        "https://blog.example/harbour",
        "api",
        "wp-7",
    )
    assert program.get(f"/articles/{told['id']}").json() == told
    draft = program.get("/drafts/world/daily").json()
    assert [one["id"] for one in draft["articles"]] == [told["id"]]


def test_a_draft_shows_what_editors_changed_and_the_article_that_each_free_block_follows(
    newsdesk: Newsdesk, program: Program
) -> None:
    newsdesk.subscribe("ann@reader.example")
    for hours, (title, topic) in enumerate([("Alps", "world"), ("Baltic", "science"), ("Crete", "world")], 1):
        newsdesk.publish(title, topic, hours=hours)
    mara = newsdesk.sign_in(MARA)
    texts = {
        "*lead": "The *bells* are silent.",
        "science": "After science.",
        "*end": "<script>x</script>End.",
    }
    for place, text in texts.items():
        mara.do("block/new", path=Newsdesk.PATH, do="save", place=place, text=text)

    mara.do("shape", path=Newsdesk.PATH, do="save", subject="", introduction="", sponsor="Tea by Lund")

    mara.do("edit/1", path=Newsdesk.PATH, title="Alps, again", summary="", section="world")

    draft = program.get("/drafts/world/daily").json()

    titles = {one["id"]: one["title"] for one in draft["articles"]}
    assert [*titles.values()] == ["Alps, again", "Crete", "Baltic"]
    after = [(titles.get(one["after"]), one["text"]) for one in draft["blocks"]]
    assert after == [("Alps, again", texts["*lead"]), ("Baltic", texts["science"]), ("Baltic", texts["*end"])]
    assert "The <em>bells</em> are silent." in draft["blocks"][0]["html"]
    assert "<script" not in draft["blocks"][2]["html"]
    assert draft["sponsor"] == "Tea by Lund"


def test_the_same_external_id_updates_whatever_its_title_text_and_url(
    newsdesk: Newsdesk, program: Program
) -> None:
    first = program.post("/articles", SENT).json()
    moved = {
        **SENT,
        "url": "https://blog.example/other",
        "title": "Quite another title",
        "html": "<p>New.</p>",
    }

    second = program.post("/articles", moved)

    assert second.status_code == 200
    assert second.json()["id"] == first["id"]
    assert second.json()["url"] == "https://blog.example/other"
    assert second.json()["updated_at"] is not None
    assert len(program.get("/articles").json()["items"]) == 1


def test_articles_that_are_sent_in_one_by_one_replace_none(program: Program) -> None:
    same = {"title": "Open thread", "html": "<p>Say what you like, below.</p>"}

    numbers = [
        program.post("/articles", {**same, "url": f"https://blog.example/thread-{n}", "external_id": f"t{n}"})
        for n in range(3)
    ]

    assert [answer.status_code for answer in numbers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in numbers}) == 3


def test_a_change_keeps_what_it_does_not_name_and_null_clears(program: Program) -> None:
    number = program.post("/articles", SENT).json()["id"]

    changed = program.send("PATCH", f"/articles/{number}", {"title": "It opened", "author": None})

    assert changed.status_code == 200, changed.text
    assert (changed.json()["title"], changed.json()["author"]) == ("It opened", None)
    assert changed.json()["html"] == "<p>It <b>opens</b>.</p>"
    assert changed.json()["topics"] == ["world"]


def test_an_article_of_another_source_is_not_changed(newsdesk: Newsdesk, program: Program) -> None:
    number = newsdesk.publish("From the newsroom's own feed")

    assert kind_of(program.send("PATCH", f"/articles/{number}", {"title": "x"})) == "conflict"
    assert kind_of(program.post("/articles", {**SENT, "source": "newsroom"})) == "invalid"


def test_a_withdrawn_article_is_gone_and_cannot_come_back(newsdesk: Newsdesk, program: Program) -> None:
    number = program.post("/articles", SENT).json()["id"]

    done = program.post(f"/articles/{number}/withdraw", {"reason": "wrong"})

    assert done.json() == {"id": number, "changed": 0, "withheld": 0, "already_sent": 0}
    assert kind_of(program.post("/articles", SENT)) == "withdrawn"
    assert kind_of(program.send("PATCH", f"/articles/{number}", {"title": "x"})) == "withdrawn"
    assert program.get("/drafts/world/daily").json()["articles"] == []


def test_what_cannot_be_taken_names_the_place_and_stores_nothing(program: Program) -> None:
    for body, place in (
        ({**SENT, "url": "javascript:alert(1)"}, None),
        ({**SENT, "title": "NUL \0"}, "/"),
        ({**SENT, "published_at": "2026-11-22T12:00:00"}, "/published_at"),
        ({**SENT, "published_at": 1_764_000_000}, "/published_at"),
        ({**SENT, "published_at": "1764000000"}, "/published_at"),
        ({**SENT, "unknown": 1}, "/unknown"),
        ({"title": "no url"}, "/url"),
    ):
        answer = program.post("/articles", body)
        assert kind_of(answer) == "invalid", body
        assert place is None or place in [one["place"] for one in answer.json()["errors"]], answer.text
    form = program.client.post("/api/v1/articles", data={"title": "a form"})
    assert kind_of(form) == "media-type"
    large = program.post("/articles", {**SENT, "html": "x" * 600_000})
    assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
    assert program.get("/articles").json()["items"] == []


@pytest.mark.parametrize(
    ("content", "media_type", "kind"),
    [
        (b"{", "application/json", "malformed"),
        (b"\xff{}", "application/json", "malformed"),
        (b"[" * 100_000, "application/json", "malformed"),
        (b"", "application/json", "malformed"),
        (b"", "", "malformed"),
        (b"[]", "application/json", "invalid"),
        (b"{}", "application/json; charset=utf-8", "invalid"),
        (b"{}", "Application/JSON", "invalid"),
        (b"{}", "text/plain", "media-type"),
        (b"{}", "", "media-type"),
        (b"{}", "application/vnd.courier+json", "media-type"),
        (b"{}", "application/merge-patch+json; charset=utf-8", "media-type"),
        (b"{}", "Application/Problem+JSON", "media-type"),
    ],
)
def test_a_body_is_told_missing_unreadable_of_another_type_or_wrong(
    program: Program, content: bytes, media_type: str, kind: str
) -> None:
    headers = {"content-type": media_type} if media_type else {}

    answer = program.client.post("/api/v1/articles", content=content, headers=headers)

    assert kind_of(answer) == kind, answer.text
    assert answer.headers.get("accept") == ("application/json" if kind == "media-type" else None)


def test_a_change_by_another_kind_of_patch_changes_nothing(newsdesk: Newsdesk, program: Program) -> None:
    number = newsdesk.publish("Bridge reopens")
    patch = {"title": "Not a patch of ours"}

    answer = program.client.patch(
        f"/api/v1/articles/{number}", json=patch, headers={"content-type": "application/json-patch+json"}
    )

    assert (answer.status_code, kind_of(answer)) == (415, "media-type")
    assert program.get(f"/articles/{number}").json()["title"] == "Bridge reopens"


def test_pages_follow_each_other_by_a_cursor(newsdesk: Newsdesk, program: Program) -> None:
    numbers = [newsdesk.publish(f"Story {n}") for n in range(5)]

    seen, cursor = [], None
    while True:
        page = program.get("/articles", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == numbers[::-1]
    assert kind_of(program.get("/articles", cursor="made-up")) == "invalid"
    edition_cursor = program.get("/articles", limit=2).json()["next"]
    assert kind_of(program.get("/editions", cursor=edition_cursor)) == "invalid"


def test_editions_tell_their_state_and_their_deliveries(newsdesk: Newsdesk, program: Program) -> None:
    newsdesk.publish("A story")
    newsdesk.subscribe("ann@reader.example")
    newsdesk.compile()

    listed = program.get("/editions").json()["items"]
    one = program.get("/editions/world/daily/2026-11-23").json()

    assert ("world", "daily", "2026-11-23", "frozen") in [
        (row["digest"], row["cadence"], row["period"], row["state"]) for row in listed
    ]
    assert one["deliveries"] == {"planned": 1}
    assert kind_of(program.get("/editions/world/daily/2027-01-01")) == "not-found"
    assert "ann@" not in program.get("/editions").text


def test_a_key_gets_the_same_answer_once_and_a_conflict_for_anything_else(
    newsdesk: Newsdesk, program: Program
) -> None:
    body = {"url": "https://blog.example/a", "title": "A"}
    first = program.post("/articles", body, key="k1")
    program.send("PATCH", f"/articles/{first.json()['id']}", {"title": "B"})

    again = program.post("/articles", body, key="k1")

    assert (again.status_code, again.json(), again.headers["location"]) == (
        201, first.json(), first.headers["location"],
    )  # fmt: skip
    assert again.headers["idempotency-replayed"] == "true"
    assert program.get(f"/articles/{first.json()['id']}").json()["title"] == "B", "nothing was done twice"
    assert kind_of(program.post("/articles", {**body, "title": "C"}, key="k1")) == "key-reused"
    assert Program(newsdesk, EVERYTHING).post("/articles", body, key="k1").status_code == 200, (
        "keys are a token's own"
    )
    newsdesk.clock.now += timedelta(hours=25)
    assert program.post("/articles", body, key="k1").status_code == 200, "a day later it is a new request"


def test_what_was_refused_may_be_repeated_with_the_same_key(program: Program) -> None:
    body = {"url": "nonsense", "title": "A"}

    assert kind_of(program.post("/articles", body, key="k")) == "invalid"
    assert kind_of(program.post("/articles", body, key="k")) == "invalid"
    assert program.post("/articles", {**body, "url": "https://blog.example/a"}, key="k").status_code == 201


def test_a_request_that_died_is_taken_up_again_and_one_at_work_is_not(
    newsdesk: Newsdesk, program: Program
) -> None:
    from digest.tasks.api.answers import KeyBusy, _begin

    now = newsdesk.clock()
    assert _begin(newsdesk.app.database, program.id, "k", "hash", now) is None
    with pytest.raises(KeyBusy):
        _begin(newsdesk.app.database, program.id, "k", "hash", now + timedelta(minutes=1))
    assert _begin(newsdesk.app.database, program.id, "k", "hash", now + timedelta(minutes=3)) is None


def test_a_token_has_an_allowance_that_refills(newsdesk: Newsdesk, program: Program) -> None:
    statuses = [program.get("/token").status_code for _ in range(121)]

    assert statuses == [200] * 120 + [429]
    refused = program.get("/token")
    assert kind_of(refused) == "rate-limit"
    assert refused.headers["retry-after"] == "1"
    assert Program(newsdesk, EVERYTHING).get("/token").status_code == 200, "another token has its own"
    newsdesk.clock.now += timedelta(seconds=1)
    assert [program.get("/token").status_code for _ in range(3)] == [200, 200, 429]


def test_a_token_is_kept_hashed_and_opens_nothing_once_revoked(newsdesk: Newsdesk, program: Program) -> None:
    assert program.get("/token").json() == {"name": "test", "scopes": sorted(EVERYTHING)}
    assert program.token not in repr(newsdesk.snapshot())
    (listed,) = list_tokens(newsdesk.app.database)
    assert listed.row.last_used_at == newsdesk.clock()
    assert listed.row.hint == program.token[-4:]

    revoke_token(newsdesk.app.database, program.id, newsdesk.clock())

    assert kind_of(program.get("/token")) == "token"
    assert kind_of(Program(newsdesk, None).get("/token")) == "token"


def test_an_editors_token_may_what_its_maker_may_now_and_ends_with_them(newsdesk: Newsdesk) -> None:
    database, desk = newsdesk.app.database, newsdesk.app.desk
    with database.read() as session:
        ben, mara = editors.find_editor(session, BEN), editors.find_editor(session, MARA)
    assert ben is not None
    with pytest.raises(InputError, match="role publisher"):
        make_token(database, lambda: "x" * 32, "no", [ApiScope.ARTICLES_WITHDRAW], newsdesk.clock(), ben)
    program = Program(newsdesk, [ApiScope.ARTICLES_WRITE, ApiScope.ARTICLES_WITHDRAW], mara)
    number = program.post("/articles", SENT).json()["id"]

    add_editor(desk, MARA, Role.EDITOR, PASSWORD, newsdesk.clock())
    assert kind_of(program.post(f"/articles/{number}/withdraw", {})) == "scope"
    remove_editor(desk, MARA)

    assert kind_of(program.get("/token")) == "token"


def test_no_other_site_may_call_it_unless_the_settings_name_it(settings: Settings) -> None:
    asked = {"origin": "https://app.example", "access-control-request-method": "GET"}
    for origins, allowed in (((), None), (("https://app.example",), "https://app.example")):
        with_origins = settings.model_copy(
            update={"api": settings.api.model_copy(update={"origins": origins})}
        )
        newsdesk = Newsdesk(with_origins, Clock())
        program = Program(newsdesk, EVERYTHING)
        answer = program.client.options("/api/v1/token", headers=asked)
        assert answer.headers.get("access-control-allow-origin") == allowed
        got = program.client.get("/api/v1/token", headers={"origin": "https://app.example"})
        assert got.headers.get("access-control-allow-origin") == allowed
        newsdesk.close()


def test_the_command_makes_a_token_that_opens_and_revokes_it(newsdesk: Newsdesk) -> None:
    config = ("--config", str(newsdesk.settings.file))
    token = run_command("tokens", "make", "WordPress", "--scope", "articles:write", *config)[0].splitlines()[
        0
    ]
    program = Program(newsdesk, None)
    program.client.headers["authorization"] = f"Bearer {token}"

    assert program.get("/token").json() == {"name": "WordPress", "scopes": ["articles:write"]}
    assert "WordPress" in run_command("tokens", "list", *config)[0]
    run_command("tokens", "revoke", "1", *config)
    assert kind_of(program.get("/token")) == "token"
    assert "is not a scope" in run_command("tokens", "make", "X", "--scope", "all", *config, code=1)[1]

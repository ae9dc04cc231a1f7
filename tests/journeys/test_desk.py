"""The editors' desk: sign in, shape the next edition, and find it in the mail as it was shaped."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlmodel import select

from digest.models import Edition, Variant
from digest.store.editions import editions
from digest.tasks.desk import passwords
from digest.tasks.ledger.explain import why
from tests.support.desks import BEN, DAY, MARA, OLGA, PASSWORD, Newsdesk, hidden, titles
from tests.support.editions import list_articles

LOOKED_AT = ["/desk", Newsdesk.PATH, f"{Newsdesk.PATH}/find?q=a", f"{Newsdesk.PATH}/edit/1"]


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe("anna@readers.example")
    return newsdesk


@pytest.fixture
def shelf(newsdesk: Newsdesk) -> dict[str, int]:
    """Publish four articles, the newest first."""
    return {
        name: newsdesk.publish(name, hours=n)
        for n, name in enumerate(["Alps", "Baltic", "Crete", "Danube"], 1)
    }


def edition(newsdesk: Newsdesk, period: str = "2026-11-23") -> Edition:
    with newsdesk.app.database.read() as session:
        found = editions.find_edition(session, "world", "daily", period)
    assert found is not None
    return found


def made(newsdesk: Newsdesk) -> list[int]:
    """List the articles of the one variant that was made."""
    with newsdesk.app.database.read() as session:
        variant = session.exec(select(Variant)).one()
        return [row.article_id for row in list_articles(session, variant.id or 0)]


def test_what_an_editor_shapes_is_what_is_compiled(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    mara = newsdesk.sign_in()
    assert titles(mara.get().text) == ["Alps", "Baltic", "Crete", "Danube"]

    mara.do("shape", article=shelf["Crete"], do="lead")
    mara.do("shape", article=shelf["Danube"], do="up")
    mara.do("shape", article=shelf["Alps"], do="hide")
    answer = mara.do("shape", subject="All of Europe", introduction="Good *morning*.", do="save")

    assert answer.headers["location"] == f"{Newsdesk.PATH}?said=saved#words"
    page = mara.get().text
    assert titles(page) == ["Crete", "Danube", "Baltic"]
    assert "Put back: Alps" in page
    assert "Good <em>morning</em>." in page
    newsdesk.compile()
    assert made(newsdesk) == [shelf[name] for name in ("Crete", "Danube", "Baltic")]
    assert (edition(newsdesk).subject, edition(newsdesk).introduction) == ("All of Europe", "Good *morning*.")


def test_who_did_what_when_is_kept_and_shown(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    newsdesk.sign_in(BEN).do("shape", article=shelf["Crete"], do="pin")

    page = newsdesk.sign_in().get().text

    assert re.search(r"Sun 22 Nov, 19:00</time> <b>ben@courier.example</b> pinned “Crete” in place 3", page)


def test_an_article_that_is_no_candidate_is_added_by_id_or_url(
    newsdesk: Newsdesk, shelf: dict[str, int]
) -> None:
    old = newsdesk.publish("From the vault", "house", hours=24 * 90)
    mara = newsdesk.sign_in()

    assert "there is no article" in mara.do("add", named="9999", reach="topics").text.lower()
    mara.do("add", named=f"https://courier.example/story-{old}", reach="all")

    assert titles(mara.get().text)[0] == "From the vault"
    newsdesk.compile()
    assert made(newsdesk)[0] == old


def test_two_editors_at_once_lose_nothing_unseen(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    mara, ben = newsdesk.sign_in(), newsdesk.sign_in(BEN)
    seen_by_both = ben.token()
    mara.do("shape", subject="Mara's subject", introduction="M", do="save")

    late = ben.do(
        "shape",
        {**seen_by_both, "form": ben.token()["form"]},
        subject="Ben's",
        introduction="His *text*",
        do="save",
    )

    assert late.status_code == 409
    assert "changed while you were working" in late.text
    assert "wrote the subject and the introduction" in late.text
    assert 'value="Ben&#39;s"' in late.text
    assert "His *text*" in late.text
    assert "Mara&#39;s subject" in mara.get().text
    again = {"form": hidden(late.text, "form"), "version": hidden(late.text, "version")}
    assert ben.do("shape", again, subject="Ben's", introduction="His *text*", do="save").status_code == 303


@pytest.mark.parametrize("who", [MARA, OLGA])
def test_a_hold_is_taken_whatever_was_seen_and_ended_by_publishers_and_operators(
    newsdesk: Newsdesk, shelf: dict[str, int], who: str
) -> None:
    mara, ben = newsdesk.sign_in(), newsdesk.sign_in(BEN)
    seen = ben.token()
    mara.do("shape", article=shelf["Crete"], do="lead")

    assert ben.do("hold", seen).status_code == 303

    (compiled, *_) = newsdesk.compile()
    assert (compiled.held, edition(newsdesk).state) == (f"held by {BEN}", "held")
    assert newsdesk.sign_in(BEN).do("let-go").status_code == 403
    newsdesk.sign_in(who).do("let-go")
    newsdesk.compile(newsdesk.clock() + timedelta(minutes=1))
    assert edition(newsdesk).state == "frozen"


def test_releasing_what_is_not_on_hold_leaves_its_approval(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    mara, olga = newsdesk.sign_in(), newsdesk.sign_in(OLGA)
    mara.do("hold")
    seen = olga.token()
    mara.do("approve")

    late = olga.do("let-go", {**mara.token(), "form": seen["form"]})

    assert late.status_code == 400
    assert "is not on hold" in late.text
    assert "Approved by mara@courier.example; sends Mon 23 Nov, 07:00." in mara.get().text


def test_a_change_makes_an_approval_void_and_says_so(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    mara = newsdesk.sign_in()
    mara.do("approve")
    assert "Approved by mara@courier.example; sends Mon 23 Nov, 07:00." in mara.get().text

    mara.do("shape", article=shelf["Crete"], do="lead")

    page = mara.get().text
    assert "Sends Mon 23 Nov, 07:00 unless held." in page
    assert "first; this cancelled the approval" in page


def test_what_has_been_made_cannot_be_changed_and_its_delivery_is_shown(
    newsdesk: Newsdesk, shelf: dict[str, int]
) -> None:
    newsdesk.compile()
    mara = newsdesk.sign_in()
    seen = {**mara.token(), "version": "0"}

    late = mara.do("shape", seen, article=shelf["Crete"], do="lead")

    assert late.status_code == 400
    assert "has been made" in late.text
    page = mara.get().text
    assert '<meta http-equiv="refresh"' in page
    assert "0 of 1" in page
    mara.do("pause")
    assert (edition(newsdesk).state, edition(newsdesk).reason) == ("paused", f"paused by {MARA}")
    mara.do("resume")
    assert edition(newsdesk).state == "frozen"
    assert "paused delivery" in mara.get().text


def test_a_session_ends_when_it_is_not_used_and_after_a_working_day(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    for _ in range(13):
        newsdesk.clock.now += timedelta(hours=1)
        assert mara.get("/desk").status_code == 200
    newsdesk.clock.now += timedelta(hours=1)
    assert mara.get("/desk").status_code == 303
    ben = newsdesk.sign_in(BEN)
    newsdesk.clock.now += timedelta(hours=2)
    assert ben.get("/desk").status_code == 303


def test_an_editor_signs_out_and_ends_their_other_sessions(newsdesk: Newsdesk) -> None:
    one, other = newsdesk.sign_in(), newsdesk.sign_in()
    one.client.post("/desk/end-others", data={"form": one.token("/desk")["form"]})
    assert [v.get("/desk").status_code for v in (one, other)] == [200, 303]

    kept = dict(one.client.cookies)
    one.client.post("/desk/logout", data={"form": one.token("/desk")["form"]})

    one.client.cookies.update(kept)
    assert one.get("/desk").status_code == 303


@pytest.mark.parametrize("address", [MARA, "nobody@courier.example", "no address"])
def test_wrong_names_and_wrong_passwords_get_the_same_answer(newsdesk: Newsdesk, address: str) -> None:
    visitor = newsdesk.visitor()
    answer = visitor.sign_in(address, "the wrong password")
    assert answer.status_code == 400
    assert "Wrong email or password" in answer.text
    assert not any("desk" in name for name in visitor.client.cookies)


def test_attempts_are_counted_by_address(newsdesk: Newsdesk) -> None:
    answers = [newsdesk.visitor().sign_in(MARA, "wrong").status_code for _ in range(10)]
    assert answers == [400] * 10
    assert newsdesk.visitor().sign_in(MARA, PASSWORD).status_code == 429
    assert newsdesk.visitor().sign_in(BEN, PASSWORD).status_code == 303
    newsdesk.clock.now += timedelta(hours=1)
    assert newsdesk.visitor().sign_in(MARA, PASSWORD).status_code == 303


def test_a_browser_that_signed_in_before_is_not_locked_out_by_another(newsdesk: Newsdesk) -> None:
    own = newsdesk.sign_in(MARA)
    own.do("logout", path="/desk")
    tried = [newsdesk.visitor().sign_in(MARA, "wrong").status_code for _ in range(10)]
    assert tried == [400] * 9 + [429]
    assert newsdesk.visitor().sign_in(MARA, PASSWORD).status_code == 429

    assert own.sign_in(MARA, PASSWORD).status_code == 303


@pytest.mark.parametrize(
    "spelling", ["MARA@Courier.Example", "mara@ｃourier.example", "ma\u00adra@courier.example"]
)
def test_all_spellings_of_an_address_are_counted_as_one(newsdesk: Newsdesk, spelling: str) -> None:
    for _ in range(10):
        newsdesk.visitor().sign_in(MARA, "wrong")
    assert newsdesk.visitor().sign_in(spelling, PASSWORD).status_code == 429


def test_sixty_sign_ins_at_once_compute_one_hash_at_a_time(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = CountedHasher(PasswordHasher())
    monkeypatch.setattr(passwords, "_HASHER", counted)
    with ThreadPoolExecutor(60) as people:
        names = (f"nobody-{n}@courier.example" for n in range(60))
        answers = list(people.map(lambda name: newsdesk.visitor().sign_in(name, "wrong"), names))
    assert counted.most == 1
    assert {answer.status_code for answer in answers} <= {400, 503}
    newsdesk.clock.now += timedelta(hours=1)
    assert newsdesk.visitor().sign_in(MARA, PASSWORD).status_code == 303


def test_who_finds_the_queue_full_is_asked_to_come_back(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = passwords.HashQueue(at_once=1, waiting=0)
    monkeypatch.setattr(passwords, "_QUEUE", queue)
    with queue.turn():
        answer = newsdesk.visitor().sign_in(MARA, PASSWORD)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert MARA in answer.text, "what was typed stays"
    assert newsdesk.visitor().sign_in(MARA, PASSWORD).status_code == 303


class CountedHasher:
    """The real hasher, and how many of its hashes were computed side by side."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher, self._lock = hasher, threading.Lock()
        self._now = self.most = 0

    def verify(self, known: str, password: str) -> bool:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._hasher.verify(known, password)
        finally:
            with self._lock:
                self._now -= 1

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def check_needs_rehash(self, known: str) -> bool:
        return self._hasher.check_needs_rehash(known)


@pytest.mark.parametrize("path", LOOKED_AT)
def test_without_a_session_there_is_only_the_sign_in(newsdesk: Newsdesk, path: str) -> None:
    answer = newsdesk.visitor().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/desk/login")


@pytest.mark.parametrize(
    "act", ["shape", "add", "note", "edit/1", "to-preview", "hold", "let-go", "approve", "pause", "resume"]
)
def test_an_act_needs_a_session_our_own_page_and_its_form(
    newsdesk: Newsdesk, shelf: dict[str, int], act: str
) -> None:
    mara = newsdesk.sign_in()
    seen = mara.token()
    before = newsdesk.snapshot()
    path = f"{Newsdesk.PATH}/{act}"

    assert newsdesk.visitor().client.post(path, data=seen).headers["location"] == "/desk/login"
    for headers in (
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://courier.example"},
    ):  # fmt: skip
        assert mara.client.post(path, data=seen, headers=headers).status_code == 403
    for form in ("", "made-up", newsdesk.sign_in(BEN).token()["form"]):
        assert mara.client.post(path, data={**seen, "form": form}).status_code == 403
    assert mara.client.get(path).status_code == (200 if act == "edit/1" else 405)
    after = newsdesk.snapshot()
    for table in ("editor_session", "sign_up_count"):  # Ben's
        after[table] = before[table]
    assert after == before


@pytest.mark.parametrize("act", ["approve", "pause", "resume"])
def test_what_a_publisher_does_an_editor_may_not(newsdesk: Newsdesk, act: str) -> None:
    answer = newsdesk.sign_in(BEN).do(act)
    assert answer.status_code == 403
    assert "Only a publisher can do this" in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_at_the_desk_changes_nothing(newsdesk: Newsdesk, shelf: dict[str, int], method: str) -> None:
    mara = newsdesk.sign_in()
    before = newsdesk.snapshot()
    for path in [*LOOKED_AT, "/desk/login", "/desk/password/made-up", "/desk/logout", "/desk/nowhere"]:
        mara.client.request(method, f"{path}?do=lead&article=1&version=0&said=held")
    assert newsdesk.snapshot() == before


def test_hostile_titles_are_text_and_no_inline_script_may_run(newsdesk: Newsdesk) -> None:
    newsdesk.publish("<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}")
    answer = newsdesk.sign_in().get()
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "{{ 7 * 7 }}" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"


def test_cookies_are_out_of_reach_of_scripts_other_sites_and_plain_http(newsdesk: Newsdesk) -> None:
    visitor = newsdesk.visitor()
    answer = visitor.sign_in(MARA, PASSWORD)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-desk=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


def test_a_removed_editor_is_out_at_once(newsdesk: Newsdesk) -> None:
    from digest.tasks.desk.editors import remove_editor

    ben = newsdesk.sign_in(BEN)
    remove_editor(newsdesk.app.desk, BEN)
    assert ben.get("/desk").status_code == 303
    assert newsdesk.visitor().sign_in(BEN, PASSWORD).status_code == 400


def test_only_the_next_edition_of_a_cadence_is_on_the_desk(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    for path in ("/desk/world/daily/2026-11-24", "/desk/world/hourly/x", "/desk/nothing/daily/2026-11-23"):
        assert mara.get(path).status_code == 404
    newsdesk.clock.now += DAY
    assert newsdesk.sign_in().get(Newsdesk.PATH).status_code == 200, "it is late: the next run makes it"
    newsdesk.clock.now += DAY
    assert newsdesk.sign_in().get(Newsdesk.PATH).status_code == 404


def test_why_tells_that_an_editor_leaves_an_article_out(newsdesk: Newsdesk, shelf: dict[str, int]) -> None:
    newsdesk.sign_in().do("shape", article=shelf["Crete"], do="hide")
    with newsdesk.app.database.read() as session:
        said = why(session, newsdesk.settings, "anna@readers.example", str(shelf["Crete"]), newsdesk.clock())
    assert said["reason"] == "an editor leaves it out of this edition"

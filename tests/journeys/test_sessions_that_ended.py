"""What is sent after a session has ended is kept through the sign-in, and only a button sends it then."""

import json
import zlib
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from httpx2 import Response

from digest.web.desk.access import safe_next
from digest.web.shared.kept_form import KeptForm, unpack
from tests.support.desks import BEN, MARA, PASSWORD, Newsdesk, Visitor
from tests.support.readers import hidden_fields

WORDS = 'Good morning,\n\nfrost & fog. \u00a320 \U0001f324 "quoted" <b>'


def sign_in_again(visitor: Visitor, page: str, address: str, password: str = PASSWORD) -> Response:
    """Fill the sign-in that stands on a page, with its hidden fields."""
    typed = {**hidden_fields(page), "address": address, "password": password}
    return visitor.client.post("/desk/login", data=typed)


def unescape(page: str) -> dict[str, str]:
    from html import unescape as plain

    return {name: plain(value) for name, value in hidden_fields(page).items()}


def test_words_typed_before_the_session_ended_come_back_and_are_saved_by_the_button(
    newsdesk: Newsdesk,
) -> None:
    ben = newsdesk.sign_in(BEN)
    seen = ben.token()
    before = newsdesk.snapshot()["draft"]
    newsdesk.clock.now += timedelta(hours=3)

    ended = ben.do("shape", seen, do="save", subject="Frost", introduction=WORDS)
    assert (ended.status_code, "Your session has ended" in ended.text) == (403, True)
    wrong = sign_in_again(ben, ended.text, BEN, "not the password")
    assert wrong.status_code == 400
    shown = sign_in_again(ben, wrong.text, BEN)

    assert shown.status_code == 200
    assert "Not saved yet" in shown.text
    assert "frost &amp; fog" in shown.text
    assert newsdesk.snapshot()["draft"] == before
    saved = ben.client.post(f"{Newsdesk.PATH}/shape", data=unescape(shown.text))
    assert saved.status_code == 303
    page = ben.get().text
    assert 'value="Frost"' in page
    assert "fog. \u00a320 \U0001f324" in page


def test_a_form_of_a_former_session_is_shown_again_to_whoever_is_signed_in(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    seen = ben.token()
    ben.do("logout", path="/desk")
    ben.sign_in(BEN, PASSWORD)

    shown = ben.do("note", seen, note="Call the harbour master")

    assert (shown.status_code, "Call the harbour master" in shown.text) == (403, True)
    assert "Call the harbour master" not in ben.get().text
    assert ben.client.post(f"{Newsdesk.PATH}/note", data=unescape(shown.text)).status_code == 303
    assert "Call the harbour master" in ben.get().text


def test_after_signing_in_a_button_without_words_leads_back_to_its_page(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in(MARA)
    form = mara.token()["form"]
    mara.client.cookies.clear()

    answer = mara.client.post(
        f"{Newsdesk.PATH}/approve",
        data={"form": form},
        headers={"referer": f"https://courier.example{Newsdesk.PATH}"},
    )

    assert answer.headers["location"] == f"/desk/login?next={Newsdesk.PATH}"


def test_nobody_else_gets_a_form_kept(newsdesk: Newsdesk) -> None:
    visitor = newsdesk.visitor()
    from_elsewhere = visitor.client.post(
        f"{Newsdesk.PATH}/note", data={"text": "x"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert from_elsewhere.status_code == 403
    assert "kept" not in hidden_fields(from_elsewhere.text)

    for path in ("/elsewhere", "//evil.example/desk", "/desk/login", "https://evil.example/"):
        page = visitor.get("/desk/login").text
        kept = KeptForm(path, (("text", "x"),)).pack()
        typed = {**hidden_fields(page), "kept": kept, "address": BEN, "password": PASSWORD}
        assert visitor.client.post("/desk/login", data=typed).headers["location"] == "/desk"
        visitor.client.cookies.clear()


def test_a_kept_form_is_what_it_was_and_nothing_else_is_one() -> None:
    form = KeptForm.of("/desk/x", [("form", "token"), ("text", WORDS), ("text", "again"), ("file", object())])
    assert form.fields == (("text", WORDS), ("text", "again"))
    assert unpack(form.pack()) == form
    bomb = packed(json.dumps(["/desk", ["a", "b" * 3_000_000]]).encode())
    for text in ("", "x", "\u00e4", form.pack()[:-5], bomb, packed(b"[1"), packed(b"[" * 100_000)):
        assert unpack(text) is None


def packed(content: bytes) -> str:
    return urlsafe_b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/desk/world/daily/2026-11-23/find?q=a", "/desk/world/daily/2026-11-23"),
        (
            "/desk/world/daily/2026-11-23/preview/frame?width=360",
            "/desk/world/daily/2026-11-23/preview?width=360",
        ),
        ("/desk/logout", "/desk"),
        ("/desk/readers?text=a", "/desk/readers?text=a"),
    ],
)
def test_a_sign_in_goes_on_to_pages_alone(asked: str, shown: str) -> None:
    assert safe_next(asked) == shown

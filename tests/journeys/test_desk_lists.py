"""Lists at the desk: uploaded, tried, imported once that is confirmed, and exported; each with who did it."""

import csv
import io
import re
from pathlib import Path

import pytest
from httpx2 import Response
from sqlmodel import select

from digest.models import ConsentEvent, ListTransfer, Subscriber
from digest.tasks.readers.lists import uploads as module
from digest.tasks.readers.lists.uploads import ListUploads
from digest.web.shared import guard
from tests.support.desks import BEN, OLGA, Newsdesk, Visitor

LISTS = "/desk/readers/import"
LIST = (
    "Email,Name,Status\nanna@readers.example,Anna,active\nBERT@post.example,Bert,active\nbert@post.example,,active\n"
    "carl@post.example,Carl,unsubscribed\n=cmd,Dora,active\n"
)


def upload(olga: Visitor, content: str | bytes = LIST, name: str = "readers.csv", **fields: str) -> Response:
    data = {"form": olga.token(LISTS)["form"], "consent": "ask", "digest": "world", **fields}
    return olga.client.post(LISTS, data=data, files={"file": (name, content, "text/csv")})


def work(newsdesk: Newsdesk) -> ListUploads:
    """Wait until the desk's own thread has worked on every list."""
    uploads: ListUploads = newsdesk.web.state.uploads
    uploads.wait()
    return uploads


def addresses(newsdesk: Newsdesk) -> list[str]:
    with newsdesk.app.database.read() as session:
        return sorted(session.exec(select(Subscriber.address)))


def folder(newsdesk: Newsdesk) -> Path:
    return newsdesk.settings.path("uploads")


def results(page: str) -> dict[str, int]:
    found = re.findall(r'<tr><th scope="row">([^<]+)</th><td class="count">([\d,]+)</td>', page)
    return {label: int(count.replace(",", "")) for label, count in found}


def test_a_list_is_tried_first_and_imported_once_that_is_confirmed(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)

    taken = upload(olga, consent="agreed", wording="Signed up  at the fair")
    path = taken.headers["location"]
    work(newsdesk)
    tried = olga.get(path).text

    assert addresses(newsdesk) == []
    assert results(tried) == {
        "Added": 2, "Left, bounced or complained elsewhere: suppressed": 1, "Refused": 1,
        "Lines about the same person: merged": 1,
    }  # fmt: skip
    assert "line 2: anna@readers.example" in tried
    assert "“Signed up at the fair”" in tried
    assert {one.stat().st_mode & 0o077 for one in [folder(newsdesk), *folder(newsdesk).rglob("*")]} == {0}

    olga.do("start", path=path)
    work(newsdesk)
    done = olga.get(path).text

    assert addresses(newsdesk) == ["BERT@post.example", "anna@readers.example"]
    assert results(done)["Added"] == 2
    assert not list(folder(newsdesk).rglob("readers.csv")), "the file is removed once it is imported"
    with newsdesk.app.database.read() as session:
        events = session.exec(select(ConsentEvent)).all()
        assert {(event.origin["desk"], event.origin["import"]) for event in events} == {(OLGA, "readers.csv")}
        row = session.exec(select(ListTransfer)).one()
        assert "@" not in str(row.model_dump(exclude={"who", "changed_by"}))
    assert OLGA in olga.get(LISTS).text


def test_the_lines_not_taken_can_be_downloaded_and_run_no_formula(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    path = upload(olga).headers["location"]
    work(newsdesk)

    lines = olga.get(f"{path}/lines")

    assert lines.headers["content-disposition"] == 'attachment; filename="lines-not-taken.csv"'
    rows = list(csv.reader(io.StringIO(lines.text)))
    assert {tuple(row[:2]) for row in rows[1:]} == {("4", "merged"), ("6", "rejected"), ("5", "departed")}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_a_list_is_tried_again_with_other_choices_and_removed(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    path = upload(olga, "email,status\nanna@readers.example,gold\n").headers["location"]
    work(newsdesk)
    assert results(olga.get(path).text) == {"Added": 0, "Refused": 1}

    olga.do("check", path=path, digest="world", consent="ask", ignored="status")
    work(newsdesk)
    assert results(olga.get(path).text) == {"Added": 0, "Asked to confirm first": 1}

    olga.do("remove", path=path)
    assert list(folder(newsdesk).iterdir()) == []
    assert addresses(newsdesk) == []
    assert "Removed" in olga.get(path).text


@pytest.mark.parametrize(
    ("content", "name", "fields", "said"),
    [
        (b"", "readers.csv", {}, "The file readers.csv is empty"),
        (LIST, "readers.csv", {"consent": "agreed"}, "Write the sentence that these readers agreed to"),
        (LIST, "readers.csv", {"digest": "nope"}, "There is no digest"),
        (LIST, "readers.csv", {"state": "happy"}, "is not a state of a list"),
        (LIST, "", {}, "Choose the file of the list."),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_and_leaves_no_file(
    newsdesk: Newsdesk, content: str | bytes, name: str, fields: dict[str, str], said: str
) -> None:
    olga = newsdesk.sign_in(OLGA)

    answer = (
        upload(olga, content, name, wording="", **fields)
        if name
        else olga.client.post(LISTS, data=olga.token(LISTS))
    )

    assert answer.status_code == 400
    assert said in answer.text
    assert not folder(newsdesk).exists() or list(folder(newsdesk).iterdir()) == []


def test_a_file_that_is_no_list_is_said_by_name_alone(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)

    path = upload(olga, b"PK\x03\x04\0\0", r"C:\Users\..\..\etc/pass*wd.xlsx").headers["location"]
    work(newsdesk)
    page = olga.get(path).text

    assert "It could not be read: pass_wd.xlsx is a spreadsheet or an archive" in page
    assert str(folder(newsdesk)) not in page


def test_a_list_that_is_too_large_is_refused_while_it_comes(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = newsdesk.sign_in(OLGA)
    monkeypatch.setattr(guard, "MOST_LIST", 2_000)
    assert upload(olga, b"a@b.example\n" * 400).status_code == 413
    monkeypatch.setattr("digest.web.newsroom.lists.MOST_LIST", 2_000)
    monkeypatch.setattr(guard, "MOST_LIST", 1 << 20)

    assert upload(olga, b"a@b.example\n" * 400).status_code == 413

    assert not folder(newsdesk).exists() or list(folder(newsdesk).iterdir()) == []


def test_a_strangers_form_gets_no_byte_into_a_file(newsdesk: Newsdesk) -> None:
    olga, ben = newsdesk.sign_in(OLGA), newsdesk.sign_in(BEN)
    parts = {"file": ("readers.csv", LIST, "text/csv")}

    assert olga.client.post(LISTS, data={"form": ben.token("/desk")["form"]}, files=parts).status_code == 403
    assert olga.client.post(LISTS, files=parts).status_code == 403
    assert ben.client.post(LISTS, data=ben.token("/desk"), files=parts).status_code == 403
    assert newsdesk.visitor().client.post(LISTS, files=parts).status_code == 303

    assert not folder(newsdesk).exists()


def test_of_two_people_the_second_sees_what_the_first_did(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    path = upload(olga).headers["location"]
    work(newsdesk)
    seen = olga.token(path)
    olga.do("check", path=path, digest="world", consent="agreed", wording="At the fair")
    work(newsdesk)

    late = olga.do("start", seen, path)
    typed = olga.do("check", seen, path, digest="world", consent="agreed", wording="On the web")

    assert (late.status_code, typed.status_code) == (409, 409)
    assert "Somebody else has acted on this list since you saw it." in late.text
    assert 'value="On the web"' in typed.text
    work(newsdesk)
    assert addresses(newsdesk) == []


def test_a_list_that_was_broken_off_says_so_and_goes_on(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    path = upload(olga).headers["location"]
    uploads = work(newsdesk)
    public_id = path.rpartition("/")[2]
    with newsdesk.app.database.write() as session:  # as a process leaves it that ends
        row = session.exec(select(ListTransfer)).one()
        row.state, row.rows = "importing", 20_000
        session.add(row)

    with uploads._lock(public_id):
        assert "20,000 rows imported" in olga.get(path).text
        assert olga.do("start", path=path).status_code == 409
    page = olga.get(path).text

    assert "The program ended while it was importing this list, after 20,000 rows." in page
    olga.do("start", path=path)
    work(newsdesk)
    assert addresses(newsdesk) == ["BERT@post.example", "anna@readers.example"]
    assert "Imported" in olga.get(path).text


def test_lists_nobody_touches_for_a_week_are_forgotten(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    path = upload(olga).headers["location"]
    work(newsdesk)
    readers, at = newsdesk.app.readers, newsdesk.clock()

    assert module.forget_uploads(readers, at + module.KEEP / 2) == 0
    assert module.forget_uploads(readers, at + module.KEEP) == 1

    assert list(folder(newsdesk).iterdir()) == []
    newsdesk.clock.now = at
    assert "Removed" in olga.get(path).text


def test_readers_who_match_are_exported_and_who_took_them_is_recorded(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("anna@readers.example", name="=HYPERLINK()", language="de")
    newsdesk.subscribe("bert@post.example")
    olga = newsdesk.sign_in(OLGA)

    answer = olga.do("export", path="/desk/readers", language="de")

    assert answer.headers["content-disposition"] == 'attachment; filename="readers-2026-11-22.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["email"], row["name"]) for row in rows] == [("anna@readers.example", "'=HYPERLINK()")]
    assert not [row for row in rows if row["hash_key"]]
    with newsdesk.app.database.read() as session:
        row = session.exec(select(ListTransfer)).one()
    assert (row.who, row.kind, row.options, row.rows) == (OLGA, "export", {"language": "de"}, 1)
    page = olga.get(LISTS).text
    assert "readers-2026-11-22.csv" in page
    assert "language “<bdi>de</bdi>”" in page

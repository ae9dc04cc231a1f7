"""`digest preflight`: the next edition is looked over, nothing is changed, and what fails is said."""

from pathlib import Path

from digest.tasks.editions.preflight import visit
from tests.support.newsroom import Caught, Publication
from tests.support.websites import Website, page


def test_an_edition_is_looked_over_and_what_fails_ends_in_exit_1(tmp_path: Path, database_url: str) -> None:
    with Caught() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.begin(2)
        publication.run("fetch")

        well = publication.facts("preflight", "world", "--offline")
        publication.write_article("EVERYTHING IS LOUD NOW")
        path = tmp_path / "articles" / "everything-is-loud-now.md"
        text = path.read_text().replace("summary:", "image: http://courier.example/loud.jpg\nsummary:")
        path.write_text(text)
        publication.run("fetch", "newsroom")
        bad = publication.facts("preflight", "world", "--offline", code=1)
        said = publication.run("preflight", "world", "--offline", code=1)
        quiet = publication.run("preflight", "world", "--offline", "--quiet", code=1)

        assert server.messages == []
    assert (well["ok"], bad["ok"]) == (True, False)
    assert {one["check"] for one in well["checks"] if one["outcome"] == "fail"} == set()
    found = {one["check"]: one for one in bad["checks"] if one["outcome"] != "ok"}
    assert found["pictures on https"]["outcome"] == "fail"
    assert found["title capitals"]["outcome"] == "warn"
    assert "error    pictures on https" in said
    assert "title capitals: article" in quiet
    assert publication.facts("status")["editions"] == []


def test_a_look_of_its_own_that_some_mail_programs_do_not_know_is_to_be_looked_at(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.begin(1)
        publication.run("fetch")
        (tmp_path / "look").mkdir()
        (tmp_path / "look" / "front-page.html.j2").write_text(
            '{% extends "stock/front-page.html.j2" %}{% block masthead %}{{ super() }}'
            '<tr><td style="display: flex">Founded 1881</td></tr>{% endblock %}'
        )
        publication.change_settings("[web]", '[look]\nfolder = "look"\n\n[web]')
        flight = publication.facts("preflight", "world", "--offline")
        publication.config.chmod(0o600)
        found = publication.facts("doctor", "--offline")

    said = {one["check"]: one for one in flight["checks"]}["mail programs"]
    assert (flight["ok"], said["outcome"]) == (True, "warn")
    assert said["reasons"] == [
        "display:flex is used, which is unknown to Outlook (Windows): lay out with table cells and their padding"
    ]
    looks = {one["found"].partition(":")[0]: one for one in found if one["check"] == "mail-programs"}
    assert {look: one["status"] for look, one in looks.items()} == {
        "front-page": "warn", "headlines": "ok", "letter": "ok"
    }  # fmt: skip


def test_the_same_subject_as_last_time_and_readers_without_articles_are_said(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.begin(2)
        publication.run("send", "--now")
        found = publication.facts("preflight", "world", "--offline")["checks"]

    said = {one["check"]: one["reasons"] for one in found}
    assert "the last edition had the same subject" in said["subject repeated"][0]
    assert said["readers without articles"] == [
        "2 of 2 readers would get no message, because nothing of their topics is new"
    ]


def test_addresses_are_asked_once_and_private_ones_never() -> None:
    picture, story = page(b"x" * 10, Content_Type="image/png"), b"<title>Bridge</title>"
    site = Website()
    site.pages = {"/a.png": picture, "/story": page(story, Content_Type="text/html; charset=utf-8")}
    with site:
        names = ["a.png", "story", "gone", "story"]
        found = visit([f"{site.url}/{name}" for name in names], allow_private=True)
        refused = visit([f"{site.url}/story"])

    assert found[f"{site.url}/a.png"].kind == "image/png"
    assert found[f"{site.url}/story"].words == "Bridge"
    assert found[f"{site.url}/gone"].is_gone
    assert len(site.requests) == 3
    assert "only public addresses" in refused[f"{site.url}/story"].trouble

"""What people get wrong in their first hour: one clear line, the right exit code, and nothing lost."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from digest.bootstrap import Application
from digest.cli.editions.send import describe_interruption
from digest.sending import Sent, send_due
from digest.settings import load_settings
from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_an_address_without_an_at_sign(publication: Publication) -> None:
    said = publication.run("subscribers", "add", "nobody", "--confirmed", "by phone", code=1)
    assert said == '"nobody" is not a mail address: an email address must have an @-sign\n'


def test_a_csv_without_an_email_column(publication: Publication) -> None:
    path = publication.folder / "readers.csv"
    path.write_text("name,topics\nAnn,world\n")
    said = publication.run("subscribers", "import", str(path), "--confirmed", "on paper", code=1)
    assert said == f'{path}: no column holds addresses; the columns of its first line are "name", "topics"\n'


def test_a_bad_line_of_a_csv_is_named_and_the_others_are_taken(publication: Publication) -> None:
    path = publication.folder / "readers.csv"
    path.write_text("email\nann@readers.example\nnobody\nbob@readers.example\n")
    said = publication.run("subscribers", "import", str(path), "--confirmed", "on paper", code=1)
    assert "2 added" in said
    assert f'{path}, line 3: "nobody" is not a mail address' in said


def test_a_feed_that_is_a_web_page(publication: Publication) -> None:
    page = publication.folder / "page.html"
    page.write_text("<!doctype html><html><body><p>Hello.</p></body></html>")
    publication.config.write_text(
        publication.config.read_text().replace('url = "articles"', f'url = "{page}"')
    )
    said = publication.run("fetch", code=1)
    assert f"source newsroom: {page} is a web page, not a feed" in said


def test_one_bad_article_of_a_folder_is_named_and_the_others_are_taken(publication: Publication) -> None:
    publication.write_article("Bridge reopens")
    (publication.folder / "articles" / "broken.md").write_text('---\ntitle: "never closed\n---\nText.\n')
    said = publication.run("fetch")
    assert "newsroom: 1 new" in said
    assert "source newsroom: broken.md: broken.md, line" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("frobnicate",), 'Unknown command "frobnicate"'),
        (("send", "--nwo"), "Did you mean --now?"),
        (("send", "nope"), 'there is no digest "nope"; there is world'),
        (("subscribers", "list", "--digest"), "--digest"),
        (("preview", "world", "--cadence", "hourly"), 'has no cadence "hourly"; it offers daily, weekly'),
    ],
)
def test_a_command_that_cannot_be_carried_out(
    publication: Publication, arguments: tuple[str, ...], says: str
) -> None:
    said = publication.run(*arguments, code=2)
    assert says in said
    assert said.count("\n") == 1


def test_settings_that_are_wrong_or_absent(publication: Publication) -> None:
    publication.change_settings("Europe/Paris", "Mars/Base")
    assert 'timezone = "Mars/Base": is not a time zone' in publication.run("status", code=2)
    publication.config.unlink()
    assert "does not exist: `digest init` writes one" in publication.run("status", code=2)


def test_a_relay_that_refuses_the_login_pauses_the_edition_and_marks_nobody(
    tmp_path: Path, database_url: str
) -> None:
    def refuse(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with Caught(authenticator=refuse) as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        login = 'username = "courier"\npassword = "the wrong secret"\n[web]'
        publication.change_settings("[web]", login)
        publication.begin(readers=2)

        said = publication.run("send", "--now", code=1)

        assert f"the relay 127.0.0.1:{relay.port} refuses us (auth: 535" in said
        assert "secret" not in said
        assert (publication.edition()["state"], publication.edition()["open"]) == ("paused", 2)

    with Caught(port=relay.port) as mended:
        publication.change_settings('username = "courier"\n', "")
        publication.run("send")
        assert len(mended.messages) == 2
        assert publication.facts("audit")["ok"] is True


def test_pages_before_the_first_run_are_not_running_yet_and_afterwards_a_fault(
    publication: Publication,
) -> None:
    publication.change_settings("https://courier.example", "http://127.0.0.1:9")
    publication.run("init")
    before = publication.facts("doctor", "--timeout", "1", code=1)
    publication.run("send")
    after = publication.facts("doctor", "--timeout", "1", code=1)

    told = [[one["status"] for one in found if one["check"] == "one-click"] for found in (before, after)]
    assert told == [["warn"], ["fail"]]
    assert "not running yet: " in str(before)
    assert "not running yet" not in str(after)


def test_a_topic_that_nothing_has_is_found_by_doctor_with_the_one_that_is_near(
    publication: Publication,
) -> None:
    publication.change_settings('"business", "culture", "science"]', '"wrold"]')
    publication.write_article("Bridge reopens")
    publication.run("fetch")
    found = publication.facts("doctor", "--offline", code=1)  # everybody may read the settings of a test
    (topic,) = [one for one in found if one["check"] == "topics"]
    assert topic["status"] == "warn"
    assert topic["found"] == (
        'digest "world" offers "wrold", which no source, no [[topics]] and no article has; did you mean "world"?'
    )


def test_a_run_that_is_told_to_end_says_how_many_messages_wait(publication: Publication) -> None:
    publication.begin(readers=3)
    app = Application(load_settings(publication.config))
    app.stopping.set()
    done = send_due(app, at_once=True)
    app.close()

    assert (done.interrupted, done.waiting) == (True, 3)
    assert describe_interruption(done) == "interrupted: 3 messages wait for the next run"
    assert describe_interruption(Sent(interrupted=True)) == "interrupted: no message waits"


@pytest.mark.parametrize(
    "arguments",
    [
        ("articles", "list", "--limit", "9" * 20),
        ("articles", "list", "--since", "0001-01-01"),
        ("articles", "related", "1", "--limit", "9" * 20),
        ("articles", "prune", "--older-than", "999999999d"),
        ("letters", "show", "9" * 20),
        ("letters", "list", "--limit", "-5"),
        ("tokens", "revoke", "9" * 20),
        ("bounces", "--days", "999999999999"),
        ("bounces", "--days", "-1"),
        ("preview", "world", "--at", "9999-12-31T23:59"),
        ("preview", "world", "--at", "0001-01-01T00:00"),
        ("preflight", "world", "--offline", "--at", "9999-12-31T23:59"),
        ("schedule", "--until", "9999-12-31T23:59:59"),
        ("resume", "--sent-until", "0001-01-01"),
        ("catch", "--dir", "caught", "--web-port", "70000"),
    ],
)
def test_a_number_or_a_moment_out_of_range_is_one_line(
    publication: Publication, arguments: tuple[str, ...]
) -> None:
    said = publication.run(*arguments, code=2)
    assert len(said.splitlines()) == 1
    assert "range" in said or "Must be" in said or "shorter" in said


def test_an_address_that_is_refused_is_told_without_its_login(publication: Publication) -> None:
    said = publication.run("articles", "add", "https://me:hush@127.0.0.1/x?token=silence", code=1)
    assert "127.0.0.1/x" in said
    assert "hush" not in said
    assert "silence" not in said


def test_a_name_that_an_operator_types_is_one_line_of_bounded_length(publication: Publication) -> None:
    typed = "Ann\r\nBcc: eve@evil.example " + "x" * 5_000
    publication.run("subscribers", "add", "r7@readers.example", "--name", typed, "--confirmed", "on paper")
    added = publication.facts("subscribers", "show", "r7@readers.example")["name"]
    publication.run("subscribers", "set", "r7@readers.example", "--name", "Ann Lee")
    publication.run("subscribers", "set", "r7@readers.example", "--name", typed)
    changed = publication.facts("subscribers", "show", "r7@readers.example")["name"]
    for name in (added, changed):
        assert len(name) == 200
        assert name.startswith("Ann")
        assert name.isprintable()


def test_the_readers_of_an_unknown_digest_are_not_none(publication: Publication) -> None:
    said = publication.run("subscribers", "list", "--digest", "wrold", code=2)
    assert 'there is no digest "wrold"' in said
    assert publication.run("subscribers", "list", "--digest", "world").count("\n") == 1


def in_shell(publication: Publication, script: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run commands as a shell does: `digest` is the program with this publication's settings."""
    program = f'digest() {{ "{sys.executable}" -m digest "$@" --config "{publication.config}"; }}; {script}'
    return subprocess.run(
        ["bash", "-c", program], capture_output=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("digest status >&-", 0),
        ("digest articles list <&- >&- 2>&-", 0),
        ("digest send --quiet <&- >&-", 0),
        ("digest editors add mara@courier.example <&-", 2),
        ("digest letters answer 1 <&-", 1),
        ("printf 'Four w\\xf6rds make one\\n' | digest editors add mara@courier.example", 2),
        ("digest subscribers add r7@readers.example --name $'Bj\\xf6rn' --confirmed 'on paper'", 2),
    ],
)
def test_a_stream_that_is_closed_or_no_utf_8_ends_in_no_traceback(
    publication: Publication, script: str, code: int
) -> None:
    publication.write_article("Bridge reopens")
    publication.run("fetch")
    ended = in_shell(publication, script)
    told = ended.stderr.decode(errors="replace")
    assert ended.returncode == code, told
    assert "Traceback" not in told
    assert len(told.splitlines()) == (1 if code else 0)


def test_what_a_program_reads_is_utf_8_whatever_the_locale(publication: Publication) -> None:
    publication.run("subscribers", "add", "bjorn@readers.example", "--name", "Björn “B.” Ångström",
                    "--confirmed", "on paper")  # fmt: skip
    for script in ("digest subscribers list", "digest subscribers export", "digest subscribers list --json"):
        ended = in_shell(
            publication,
            script,
            LC_ALL="POSIX",
            PYTHONCOERCECLOCALE="0",
            PYTHONUTF8="0",
            PYTHONIOENCODING="ascii",
        )
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert "Ångström" in ended.stdout.decode("utf-8")


def test_settings_saved_with_a_byte_order_mark_are_read_and_other_encodings_named(
    publication: Publication,
) -> None:
    text = publication.config.read_text()
    publication.config.write_text(text, encoding="utf-8-sig")
    (row,) = publication.facts("sources")
    assert publication.config.read_text(encoding="utf-8-sig").splitlines()[row["line"] - 1].startswith("name")
    assert publication.run("send", "--quiet") == ""

    publication.config.write_bytes(text.encode() + "\n# Zürich\n".encode("latin-1"))
    line = len(text.splitlines()) + 2
    said = publication.run("status", code=2)
    assert said == f"{publication.config} is not UTF-8 (line {line}): save it as UTF-8\n"

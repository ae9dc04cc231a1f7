"""`digest send` when nothing is due: it ends at once, and never when there is something to do."""

import shutil
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest

from digest.cli.editions.idle import end_if_idle, find_said, note_path
from digest.cli.editions.status_lines import StatusOptions, print_noted
from digest.cli.terminal.application import open_application
from digest.clock import utc_now
from digest.tasks.sources.desk_sources import WantedSource, add_source
from tests.support.newsroom import Caught, Publication
from tests.support.websites import Website, page

SLOW = {"cyclopts", "pydantic", "sqlalchemy", "sqlite3", "tomllib", "psycopg"}


@pytest.fixture
def idle(publication: Publication) -> Publication:
    """A publication that has mailed what was due, and has noted that nothing is left to do."""
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.begin(readers=2)
        publication.run("send", "world", "--now")
        publication.run("send")  # deadlines that passed before are noted by the first run of all
        for _ in range(5):  # a server may be writing for itself meanwhile
            publication.run("send")
            if is_idle(publication):
                break
    assert is_idle(publication)
    return publication


def is_idle(publication: Publication) -> bool:
    return end_if_idle(["send", "--quiet", "--config", str(publication.config)])


def run_and_list_slow(idle: Publication, *given: str) -> tuple[str, set[str]]:
    """Run a command in a process of its own; return what it printed and the slow modules it imported."""
    program = (
        "import sys\n"
        "from digest.cli import main\n"
        "main(sys.argv[1:])\n"
        f"print('imported', *sorted({SLOW} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, *given, "--config", str(idle.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed, _, imported = done.stdout.rpartition("imported")
    return printed, set(imported.split())


def test_a_run_with_nothing_to_do_imports_nothing_that_is_slow(idle: Publication) -> None:
    printed, imported = run_and_list_slow(idle, "send")

    assert printed == "accepted 0, deferred 0, failed 0, withheld 0, uncertain 0\n"
    assert imported <= {"psycopg", "tomllib"}
    assert ("psycopg" in imported) == ("postgresql" in idle.config.read_text())
    assert note_path("send", idle.config).stat().st_mode & 0o777 == 0o600


def test_a_status_that_has_not_changed_is_printed_again_without_what_is_slow(idle: Publication) -> None:
    """A monitor asks for it each minute."""
    for given in (["status"], ["status", "--json"], ["status", "--quiet"]):
        note_path("status", idle.config).unlink(missing_ok=True)
        found, _ = run_and_list_slow(idle, *given)
        for _ in range(3):  # PostgreSQL may clean up a table in between, which is a change too
            again, imported = run_and_list_slow(idle, *given)
            assert again == found
            if imported <= {"psycopg", "tomllib"}:
                break

        assert imported <= {"psycopg", "tomllib"}
    assert note_path("status", idle.config).stat().st_mode & 0o777 == 0o600


def test_a_status_looks_for_no_garbage_while_it_works_or_ends(idle: Publication) -> None:
    """What it imports stays to the end; to look through that took a third of its time."""
    note_path("status", idle.config).unlink(missing_ok=True)
    program = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print('frozen', gc.get_freeze_count() > 0))  # runs last\n"
        "from digest.cli import main\n"
        "main()\n"
        "print('looks', gc.isenabled())"
    )
    command = [sys.executable, "-c", program, "status", "--config", str(idle.config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-2:] == ["looks False", "frozen True"]


def test_a_status_is_found_anew_after_every_change(idle: Publication) -> None:
    idle.run("status")
    assert has_noted_status(idle)

    idle.run("subscribers", "add", "new@readers.example")
    assert not has_noted_status(idle)

    idle.run("status")
    assert has_noted_status(idle)
    idle.change_settings("port = ", "port =  ")
    assert not has_noted_status(idle)


def test_a_status_whose_time_has_come_is_found_anew(
    idle: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle.run("status")
    later = utc_now() + timedelta(minutes=6)
    monkeypatch.setattr("digest.cli.editions.idle.utc_now", lambda: later)

    assert not has_noted_status(idle)


def test_a_disk_that_fills_up_is_told_by_the_next_status(
    idle: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle.run("status")
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=1_000))

    assert not has_noted_status(idle)
    assert "nearly full" in idle.run("status")


def test_a_status_of_a_database_that_was_restored_is_never_a_note(idle: Publication) -> None:
    idle.run("status")
    state = idle.config.with_suffix(".state")
    state.write_text(state.read_text().replace('"counter": ', '"counter": 9'))

    assert not has_noted_status(idle)
    idle.run("status", code=1)
    assert not has_noted_status(idle)


def has_noted_status(publication: Publication) -> bool:
    return print_noted(StatusOptions(quiet=True, config=publication.config))


def test_a_note_that_was_copied_with_its_folder_says_nothing(
    idle: Publication, tmp_path_factory: pytest.TempPathFactory
) -> None:
    idle.run("status")
    copy = tmp_path_factory.mktemp("copy") / "own"
    shutil.copytree(idle.config.parent, copy)

    assert find_said("status", idle.config) is not None
    assert find_said("send", idle.config) is not None
    assert find_said("status", copy / idle.config.name) is None
    assert find_said("send", copy / idle.config.name) is None


def test_a_reader_who_joins_is_asked_by_the_next_run_and_tried_until_that_succeeds(idle: Publication) -> None:
    idle.run("subscribers", "add", "new@readers.example")

    assert not is_idle(idle)
    assert "connection refused" in idle.run("send", code=1)
    idle.run("send", code=None)  # not yet due again
    assert not is_idle(idle)


def test_mail_that_came_in_is_taken_by_the_next_run(idle: Publication) -> None:
    spool = idle.folder / "inbox" / "new"
    spool.mkdir(parents=True, exist_ok=True)
    (spool / "1").write_bytes(b"Subject: hello\n\nHello.\n")

    assert not is_idle(idle)


def test_settings_or_variables_that_change_mean_a_run(
    idle: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("DIGEST_SITE__NAME", "Another")
        assert not is_idle(idle)
    assert is_idle(idle)
    idle.change_settings("port = ", "port =  ")
    assert not is_idle(idle)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_was_restored_means_a_run(idle: Publication) -> None:
    database = idle.folder / "digest.db"
    content = database.read_bytes()
    database.unlink()
    assert not is_idle(idle)
    database.write_bytes(content)
    assert not is_idle(idle)


def test_a_deadline_that_comes_ends_the_note(idle: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    later = utc_now() + timedelta(minutes=6)
    monkeypatch.setattr("digest.cli.editions.idle.utc_now", lambda: later)

    assert not is_idle(idle)


def test_a_run_that_is_asked_for_more_is_made(idle: Publication) -> None:
    for asked in (["world"], ["--now"], ["--json"], ["--no-such-option"]):
        assert not end_if_idle(["send", "--config", str(idle.config), *asked])


@pytest.mark.parametrize("written", ["", "{", "[]", "{}", '{"version": 1}'])
def test_a_note_that_cannot_be_read_means_a_run(idle: Publication, written: str) -> None:
    note_path("send", idle.config).write_text(written)

    assert not is_idle(idle)


def test_a_source_that_is_added_at_the_desk_ends_the_notes_and_is_fetched_by_the_next_run(
    publication: Publication,
) -> None:
    feed = b'<rss version="2.0"><channel><title>Harbour</title></channel></rss>'
    with Website(feed=page(feed)) as site, Caught() as relay:
        publication.change_settings("[fetch]\n", f'[fetch]\nprivate_sources = ["{site.url}"]\n')
        publication.use_relay(relay.port)
        publication.begin(readers=1)
        publication.run("send", "world", "--now")
        for _ in range(6):  # a server may be writing for itself meanwhile
            publication.run("send")
            publication.run("status")
            if is_idle(publication) and has_noted_status(publication):
                break
        assert is_idle(publication)

        with open_application(publication.config) as app:
            wanted = WantedSource(f"{site.url}/feed", name="harbour")
            add_source(app.database, app.settings, wanted, "olga@courier.example", app.clock())

        assert not is_idle(publication)
        assert not has_noted_status(publication)
        publication.run("send")
        assert [path for path, _ in site.requests] == ["/feed"]

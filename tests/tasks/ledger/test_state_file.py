"""A database that is behind its state file is refused, with both figures and what to do, on both databases."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from digest.errors import Refused, SettingsError
from digest.tasks.ledger.restore import made_before
from digest.tasks.ledger.state_file import (
    LedgerState,
    check_state,
    ledger_state,
    read_state_file,
    save_state,
    state_path,
    write_state_file,
)
from tests.support.compilation import DAY, NOW, Newsroom

OURS = "0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the state file lies."""
    return state_path(tmp_path / "config.toml")


def test_what_was_saved_is_read_again_and_its_database_is_accepted(newsroom: Newsroom, path: Path) -> None:
    newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()

    save_state(newsroom.database, path, OURS)

    kept = read_state_file(path)
    assert kept == replace(ledger_state(newsroom.database, OURS), breaking=[], requests=[])
    assert kept.editions["world daily"]["period"] == "2026-11-23"
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert [one.name for one in path.parent.glob("*.state*")] == [path.name]
    check_state(newsroom.database, path, OURS)


def test_a_database_behind_its_file_is_refused_with_both_counters(newsroom: Newsroom, path: Path) -> None:
    found = ledger_state(newsroom.database, OURS)
    write_state_file(path, replace(found, counter=found.counter + 3))

    with pytest.raises(Refused, match=f"its counter is {found.counter}, .* says {found.counter + 3}"):
        check_state(newsroom.database, path, OURS)

    write_state_file(path, replace(found, counter=found.counter - 1))
    check_state(newsroom.database, path, OURS)


def test_another_server_is_refused_and_another_ledger_says_nothing(newsroom: Newsroom, path: Path) -> None:
    found = ledger_state(newsroom.database, OURS)
    write_state_file(path, replace(found, server="another"))
    with pytest.raises(Refused, match="is not the one that"):
        check_state(newsroom.database, path, OURS)

    write_state_file(path, replace(found, database="another", counter=found.counter + 3))
    check_state(newsroom.database, path, OURS)


def test_a_missing_file_is_refused_on_sqlite_once_an_edition_was_made(newsroom: Newsroom, path: Path) -> None:
    check_state(newsroom.database, path, OURS)
    newsroom.publish()
    newsroom.subscribe()
    newsroom.compile()

    if newsroom.database.is_sqlite:
        with pytest.raises(Refused, match="is missing: was it restored"):
            check_state(newsroom.database, path, OURS)
    else:
        check_state(newsroom.database, path, OURS)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"database": "a"}', b'{"unknown": 1}', b"\xff", b"null"]
)
def test_a_damaged_file_is_refused_and_never_taken_for_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(Refused, match="is damaged: move it away"):
        read_state_file(path)


def test_a_file_that_cannot_be_read_or_written_names_its_path(tmp_path: Path) -> None:
    path = tmp_path / "config.state"
    path.mkdir()
    state = LedgerState(OURS, "", 1)

    with pytest.raises(SettingsError, match=r"config\.state cannot be read"):
        read_state_file(path)
    with pytest.raises(SettingsError, match=r"config\.state cannot be written"):
        write_state_file(path, state)
    with pytest.raises(SettingsError, match=r"let this account write into .*/nowhere"):
        write_state_file(tmp_path / "nowhere" / "config.state", state)


def test_editions_that_were_made_after_the_moment_of_loss_are_not_counted_as_sent() -> None:
    made = {
        "period": "2026-11-23",
        "deadline_at": NOW.isoformat(),
        "freeze_at": NOW.isoformat(),
        "at_once": 0,
    }
    later = made | {"period": "2026-11-24", "freeze_at": (NOW + DAY).isoformat()}
    state = LedgerState(OURS, "", 1, {"world daily": made, "world weekly": later})

    found = made_before(LedgerState(**json.loads(json.dumps(asdict(state)))), NOW)
    assert [one.period for one in found["world daily"]] == ["2026-11-23"]
    assert made_before(state, NOW)["world weekly"] == []
    state.editions["world weekly"]["before"] = made
    assert [one.period for one in made_before(state, NOW)["world weekly"]] == ["2026-11-23"]
    del state.editions["world weekly"]["before"]
    assert [one.period for one in made_before(state, NOW + DAY)["world weekly"]] == ["2026-11-24"]

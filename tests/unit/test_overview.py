"""`digest --help` names every command, fits the terminal, and imports next to nothing."""

import subprocess
import sys

import pytest

from digest.cli import main
from digest.cli.command_table import COMMANDS, GROUPS
from digest.cli.help_page import lines

NAMES = [command.name for command in COMMANDS] + [name for name, _, _ in GROUPS]


def test_every_command_stands_in_it_once() -> None:
    named = [line.split()[0] for line in lines(100) if line.startswith("  ") and line[2] != " "]

    assert sorted(named) == sorted(NAMES)


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert all(len(line) <= width for line in lines(width))


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_it_is_what_no_arguments_and_help_print(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(arguments)

    assert "What happened" in capsys.readouterr().out


def test_it_imports_no_library() -> None:
    program = (
        "import sys; from digest.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert not {"cyclopts", "pydantic", "rich", "sqlalchemy", "sqlmodel"} & set(done.stderr.split())


def test_arguments_that_no_command_takes_are_repeated_as_they_were_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hold", "world", "daily", "2026-03-02"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "not understood here: daily 2026-03-02; see `digest --help`\n"


def test_an_unknown_option_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["subscribers", "erase", "a@example.org", "--yes"])
    assert ".;" not in capsys.readouterr().err


def test_help_shows_a_default_only_where_it_says_something(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["articles", "list", "--help"])
    listed = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["sources", "add", "--help"])
    added = capsys.readouterr().out

    assert "[default: 100]" in listed
    assert listed.count("[default:") == 1
    assert "--every" in added
    assert "[default:" not in added

"""Values as lines of config.toml: what TOML reads back is the value."""

import tomllib

import pytest

from digest.settings.toml_text import toml_lines


@pytest.mark.parametrize(
    "value",
    [
        'Say "hello"',
        "C:\\look",
        "two\nlines\tand a tab",
        "bell \x07 and delete \x7f",
        "\u2028 Zürich 東京",
        "",
    ],
)
def test_any_text_is_read_back_as_it_was(value: str) -> None:
    lines = toml_lines("look", [("logo_alt", value), ("a key", [value, value])])

    assert tomllib.loads(lines) == {"look": {"logo_alt": value, "a key": [value, value]}}


def test_numbers_switches_and_tables_keep_their_types() -> None:
    written = {"on": True, "most": 3, "share": 0.5, "about": {"world": "People"}, "none": {}}

    assert tomllib.loads(toml_lines("look", written.items())) == {"look": written}

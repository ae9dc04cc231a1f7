"""A template of a publication's own cannot fill memory or run for ever: it is named, with its line and the limit."""

from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.mail.rendering.templates import Templates


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{{ text }}{{ text }}{% endfor %}",
        "{{ text * 99999999 }}",
        "{{ [1] * 99999999 }}",
        "{{ 9 ** 999999 }}",
        "{{ '%99999999d' % 1 }}",
        "{{ '%99999999d' | format(1) }}",
        "{{ '{:>99999999}'.format(1) }}",
        "{{ text.ljust(99999999) }}",
        "{{ text | center(99999999) }}",
        "{{ text | indent(99999999) }}",
        "{% set n = namespace(x=text) %}{% for a in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x=text) %}{% for a in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x=text) %}{% for a in range(9) %}{% set n.x = n.x | replace('a', n.x) %}{% endfor %}",
        "{% set n = namespace(x=text) %}{% for a in range(9) %}{% set n.x = n.x.replace('a', n.x) %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
        "{% macro m(n) %}{{ text }}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(17) }}",
    ],
)
def test_what_writes_or_takes_too_much_is_refused(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "m(40)" in template:  # to call macros takes the longest of all steps
        monkeypatch.setattr("digest.mail.rendering.sandbox.MOST_STEPS", 100_000)
    (tmp_path / "own.txt.j2").write_text("first line\n" + template)
    with pytest.raises(SettingsError, match=r"^template own\.txt\.j2(, line \d)?: .*\d{3},\d{3}"):
        Templates(tmp_path).render("own.txt.j2", {"text": "a story " * 20})


def test_loops_know_their_length_and_joins_escape_as_without_limits(tmp_path: Path) -> None:
    (tmp_path / "own.html.j2").write_text(
        "{% for a in [1, 2] %}{{ a }} of {{ loop.length }}{% if not loop.last %}, {% endif %}{% endfor %}"
        "{{ '<b>' | safe ~ text }}{% for a in [] %}{% else %} none{% endfor %}"
    )

    assert Templates(tmp_path).render("own.html.j2", {"text": "a < b"}) == "1 of 2, 2 of 2<b>a &lt; b none"

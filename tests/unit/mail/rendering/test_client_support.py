"""What mail programs do not know is found in a message's HTML and styles, however it is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.mail.rendering.client_support import Clients
from tests.support.clients import FILE, USES
from tests.support.editions import EDITIONS, html_of

CLIENTS = Clients(FILE)


def found_in(html: str) -> list[str]:
    return [feature.title for feature in CLIENTS.find(html)]


def test_each_feature_of_the_file_has_an_example_here() -> None:
    assert [feature.title for feature in CLIENTS.features] == list(USES)


@pytest.mark.parametrize("title", USES)
def test_a_feature_is_found_where_it_is_used(title: str) -> None:
    assert title in found_in(USES[title])


@pytest.mark.parametrize("title", USES)
def test_every_feature_has_a_reason_to_be_lacking_or_a_remedy_and_never_both(title: str) -> None:
    (feature,) = [one for one in CLIENTS.features if one.title == title]
    assert bool(feature.reason) != bool(feature.remedy)


@pytest.mark.parametrize(
    ("html", "titles"),
    [
        ('<p style="color: red; font-size: 17px">display: flex; position: fixed</p>', []),
        ("<p>&lt;video&gt;</p><!-- <video> --><!--[if mso]><video></video><![endif]-->", []),
        ('<p title="position: fixed" class="flex">x</p>', []),
        ('<p style="DISPLAY : FLEX !important">x</p>', ["display:flex"]),
        ('<p style="display:block">x</p>', []),
        ('<p style="background: url(https://x.example/x)">x</p>', ["background-image"]),
        ("<p style=\"background: url('a;b.svg')\">x</p>", ["background-image", "SVG image format"]),
        ('<img src="https://x.example/x.SVG?v=1" alt="">', ["SVG image format"]),
        ('<img src="https://x.example/svg/x.png" alt="">', []),
        ('<style>/* a:hover { position: fixed } */</style>', ["<style> element"]),
        (
            '<style>@media print { .a { position: fixed } }</style>',
            ["<style> element", "@media", "Class selector", "position"],
        ),
        ('<style>[a=".b c"]{color:red}</style>', ["<style> element", "Attribute selector"]),
        ('<style>.a > .b{content:"} p { x"}</style>', ["<style> element", "Class selector"]),
        ("<style>@keyframes x { from { color: red } 50% { color: blue } }</style>", ["<style> element", "@keyframes"]),
        ('<p style="--x: 1px; grid-template-areas: none">x</p>', ["grid-template-* properties"]),
        ("<style", []),
        ("<style>@media { .a { position</style>", ["<style> element", "@media", "Class selector"]),
        ('<p style="}{;:;;">x</p>', []),
    ],
)  # fmt: skip
def test_only_what_is_really_used_is_found(html: str, titles: list[str]) -> None:
    assert found_in(html) == titles


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("look", ["front-page", "headlines", "letter"])
def test_a_message_of_ours_is_whole_without_all_that_it_uses(look: str, edition: str) -> None:
    html = html_of(replace(EDITIONS[edition], look=look))
    assert CLIENTS.find(html)
    assert CLIENTS.find_unexplained(html) == []


def test_programs_are_named_as_people_name_them() -> None:
    (flex,) = CLIENTS.find(USES["display:flex"])
    (video,) = CLIENTS.find(USES["<video> element"])
    assert flex.warning == (
        "display:flex is used, which is unknown to Outlook (Windows): lay out with table cells and their padding"
    )
    assert video.unknown_to == "Gmail, Outlook, Yahoo"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('element = ["body"]', "", "<body> element: say how it is recognised"),
        ('"yahoo.ios"]', '"yahoo.palm"]', r"\[clients\] does not name yahoo.palm"),
        ("[clients]", "[klients]", "clients"),
        ("[clients]", "[clients", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(FILE.read_text().replace(old, new, 1))
    with pytest.raises(SettingsError, match=said):
        Clients(path)

"""Templates that cannot be rendered, or leave out what every message must have, are found before a run."""

import shutil
from pathlib import Path

import pytest

from digest.mail.rendering.renderer import Renderer
from digest.net.smtp import Relay
from digest.settings import load_settings
from digest.tasks.doctor.findings import Finding
from digest.tasks.doctor.scope import Scope
from digest.tasks.doctor.templates import examine_templates, list_extremes
from tests.conftest import write_config
from tests.support.samples import NOW

OWN = Path(__file__).parents[4] / "templates" / "email"


def examined(folder: Path, templates: Path) -> list[Finding]:
    settings = load_settings(write_config(folder, "sqlite:///digest.db"))
    return examine_templates(
        Scope(settings, Relay("127.0.0.1", 25), lambda: Renderer(templates), lambda: NOW)
    )


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    copy = folder / "templates" / "email"
    shutil.copytree(OWN.parent, copy.parent)
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    return copy


def test_our_own_templates_stand_every_extreme(tmp_path: Path) -> None:
    (finding,) = examined(tmp_path, OWN)
    assert (finding.status, finding.found) == (
        "ok",
        "world: every extreme can be rendered in front-page, headlines, letter, with the links to leave",
    )


def test_the_extremes_are_what_they_are_called(tmp_path: Path) -> None:
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))
    extremes = list_extremes(settings, settings.digests[0])
    assert extremes["an edition without articles"].lead is None
    assert sum(len(section.cards) for section in extremes["200 articles"].sections) == 199
    long = extremes["words of 300 characters"].lead
    assert long is not None
    assert len(long.title) > 300
    assert " " not in long.title


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("digest.txt.j2", "{{ reader.unsubscribe_url }}", "", "the text has no unsubscribe_url"),
        ("frame.html.j2", "{{ content.publication.postal_address }}", "", "the HTML has no postal address"),
        (
            "front-page.html.j2",
            "{{ content.title }}",
            "{{ content.titel }}",
            "an edition without articles: template",
        ),
        (
            "front-page.html.j2",
            "{{ content.title }}",
            "{{ content.lead.title }}",
            "an edition without articles: ",
        ),
        ("digest.txt.j2", "{{ content.title | wrap }}", "{{ 1 // 0 }}", "ZeroDivisionError"),
        ("front-page.html.j2", "{{ content.title }}", "{% if %}", "front-page.html.j2"),
    ],
)
def test_a_fault_of_a_template_is_a_line(tmp_path: Path, name: str, old: str, new: str, says: str) -> None:
    found = examined(tmp_path, changed(tmp_path, name, old, new))
    assert [one.status for one in found] == ["fail"]  # said once, though every extreme has it
    assert says in found[0].found


def test_a_template_that_decides_on_the_reader_is_judged_by_what_the_reader_gets(tmp_path: Path) -> None:
    new = "{% if reader.name == 'x' %}-{% endif %}"
    (finding,) = examined(tmp_path, changed(tmp_path, "digest.txt.j2", "{{ content.title | wrap }}", new))
    assert finding.status == "ok"

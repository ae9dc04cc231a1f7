"""What a look uses that mail programs do not know is said, a line a look, before anybody sends it."""

from pathlib import Path

import pytest

from digest.mail.rendering.renderer import Renderer
from digest.net.smtp import Relay
from digest.settings import load_settings
from digest.tasks.doctor.client_support import examine_mail_programs
from digest.tasks.doctor.findings import Finding
from digest.tasks.doctor.scope import Scope
from tests.conftest import write_config
from tests.support.samples import NOW

STOCK = Path(__file__).parents[4] / "templates" / "email"
STYLED = '{% extends "stock/letter.html.j2" %}{% block masthead %}<tr><td STYLE>{{ content.title }}</td></tr>{% endblock %}'


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "look"
    folder.mkdir()
    return folder


def examined(tmp_path: Path, own: Path | None = None) -> dict[str, Finding]:
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))
    found = examine_mail_programs(
        Scope(settings, Relay("127.0.0.1", 25), lambda: Renderer(STOCK, own), lambda: NOW)
    )
    return {finding.found.partition(":")[0].partition(" ")[0]: finding for finding in found}


def test_each_of_our_looks_is_whole_without_what_is_lacking(tmp_path: Path) -> None:
    found = examined(tmp_path)

    assert list(found) == ["front-page", "headlines", "letter"]
    assert {finding.status for finding in found.values()} == {"ok"}
    assert "@media" in found["letter"].found


def test_a_look_that_leans_on_what_some_do_not_know_is_told_who_and_what_instead(
    tmp_path: Path, own: Path
) -> None:
    (own / "letter.html.j2").write_text(STYLED.replace("STYLE", 'style="display: flex; box-shadow: 0 0 4px"'))

    found = examined(tmp_path, own)

    assert (found["letter"].status, found["headlines"].status) == ("warn", "ok")
    assert (
        "display:flex is unknown to Outlook (Windows); box-shadow is unknown to Gmail"
        in found["letter"].found
    )
    assert "lay out with table cells" in found["letter"].remedy
    assert "box-shadow: use a border" in found["letter"].remedy


def test_of_many_the_first_are_named_and_the_others_counted(tmp_path: Path, own: Path) -> None:
    many = "position: fixed; float: left; opacity: 0; filter: none; transform: none; animation: x 1s"
    (own / "letter.html.j2").write_text(STYLED.replace("STYLE", f'style="{many}"'))

    assert "; and 2 more" in examined(tmp_path, own)["letter"].found


def test_a_look_that_cannot_be_rendered_keeps_no_other_from_being_looked_at(
    tmp_path: Path, own: Path
) -> None:
    (own / "broken.html.j2").write_text("{{ content.nothing }}")
    (own / "divided.html.j2").write_text("{{ 1 / 0 }}")

    found = examined(tmp_path, own)

    assert [found[look].status for look in ("broken", "divided", "letter")] == ["warn", "warn", "ok"]
    assert "broken.html.j2, line 1" in found["broken"].found

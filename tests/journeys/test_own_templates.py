"""A template of the publication's own that takes too much keeps its edition back, and nothing and nobody else."""

from pathlib import Path

import pytest

from tests.conftest import NO_RELAY
from tests.support.newsroom import Caught, Publication

FRONT = '{% extends "stock/front-page.html.j2" %}\n{% block masthead %}\n'
HUNGRY = "{{ lipsum(n=90000, html=False, min=900, max=990) | length }}{% endblock %}"
SAID = "template front-page.html.j2, line 3: it takes more than 4 seconds of the processor"


def begin(folder: Path, database_url: str, port: int) -> tuple[Publication, Path]:
    """Return a publication of two digests with readers, and the own template of the first one's look."""
    publication = Publication(folder, database_url, port=port)
    publication.change_settings("[web]", '[look]\nfolder = "look"\n\n[web]')
    text = publication.config.read_text()
    other = text[text.index("[[digests]]") :].replace('"world"\n', '"plain"\ntemplate = "letter"\n')
    publication.config.write_text(f"{text}\n{other}")
    publication.write_article("Bridge reopens")
    for digest, name in (("world", "ada"), ("world", "bo"), ("plain", "una")):
        readers = folder / f"{name}.csv"
        readers.write_text(f"email\n{name}@readers.example\n")
        publication.run("subscribers", "import", str(readers), "--digest", digest, "--confirmed", "on paper")
    look = folder / "look" / "front-page.html.j2"
    look.parent.mkdir()
    return publication, look


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_a_template_that_breaks_after_the_freeze_pauses_its_edition_and_no_other(
    tmp_path: Path, database_url: str, signed: bool
) -> None:
    with Caught() as server:
        publication, look = begin(tmp_path, database_url, NO_RELAY)
        if signed:
            publication.run("dkim", "--selector", "s1", "--out", str(tmp_path / "key.pem"))
            publication.change_settings("[web]", '[dkim]\nselector = "s1"\nkey_file = "key.pem"\n\n[web]')
        look.write_text(FRONT + "{{ super() }}{% endblock %}")
        publication.run("send", "--now", code=1)
        look.write_text(FRONT + "{{ 1 // 0 }}{% endblock %}")
        publication.use_relay(server.port)
        refused = publication.run("send", code=1)
        paused = publication.facts("status")["editions"]
        early = list(server.recipients)
        look.write_text(FRONT + "{{ super() }}{% endblock %}")
        publication.run("send")
        made = publication.facts("status")["editions"]
        audited = publication.run("audit")

    assert "template front-page.html.j2, line 3: " in refused
    assert "is paused" in refused
    assert "Traceback" not in refused
    assert early == ["una@readers.example"]
    assert {(one["digest"], one["state"]) for one in paused} >= {("world", "paused"), ("plain", "finished")}
    assert sorted(server.recipients) == ["ada@readers.example", "bo@readers.example", "una@readers.example"]
    assert {one["state"] for one in made} == {"finished"}
    assert audited


def test_an_edition_waits_for_its_template_while_others_are_sent(tmp_path: Path, database_url: str) -> None:
    with Caught() as server:
        publication, look = begin(tmp_path, database_url, server.port)
        look.write_text(FRONT + HUNGRY)
        publication.run("fetch")
        refused = publication.run("preview", "world", code=2)
        first = publication.run("send", "--now", code=1)
        waiting = publication.facts("status")["editions"]
        early = list(server.recipients)
        look.write_text(FRONT + "{{ super() }}{% endblock %}")
        publication.run("send")
        made = publication.facts("status")["editions"]

    assert SAID in refused
    assert f"world: {SAID}" in first
    assert "Traceback" not in first
    assert early == ["una@readers.example"]
    assert {(one["digest"], one["state"]) for one in waiting} >= {
        ("world", "compiling"),
        ("plain", "finished"),
    }
    assert sorted(server.recipients) == ["ada@readers.example", "bo@readers.example", "una@readers.example"]
    assert {one["state"] for one in made} == {"finished"}

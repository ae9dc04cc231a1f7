"""A template of the publication's own that takes too much keeps its edition back, and nothing and nobody else."""

from pathlib import Path

from tests.support.newsroom import Caught, Publication

FRONT = '{% extends "stock/front-page.html.j2" %}\n{% block masthead %}\n'
HUNGRY = "{{ lipsum(n=90000, html=False, min=900, max=990) | length }}{% endblock %}"
SAID = "template front-page.html.j2, line 3: it takes more than 4 seconds of the processor"


def test_an_edition_waits_for_its_template_while_others_are_sent(tmp_path: Path, database_url: str) -> None:
    look = tmp_path / "look" / "front-page.html.j2"
    look.parent.mkdir()
    look.write_text(FRONT + HUNGRY)
    with Caught() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.change_settings("[web]", '[look]\nfolder = "look"\n\n[web]')
        text = publication.config.read_text()
        other = text[text.index("[[digests]]") :].replace('"world"\n', '"plain"\ntemplate = "letter"\n')
        publication.config.write_text(f"{text}\n{other}")
        publication.write_article("Bridge reopens")
        for digest, name in (("world", "ada"), ("world", "bo"), ("plain", "una")):
            readers = tmp_path / f"{name}.csv"
            readers.write_text(f"email\n{name}@readers.example\n")
            publication.run(
                "subscribers", "import", str(readers), "--digest", digest, "--confirmed", "on paper"
            )
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

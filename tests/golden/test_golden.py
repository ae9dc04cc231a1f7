"""The messages as they are, for a reader of diffs: run with UPDATE_GOLDEN=1 after a change that is meant."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from digest.mail.rendering.content import Content
from digest.mail.rendering.renderer import Renderer
from tests.support.editions import compose
from tests.support.samples import ARABIC, CONTENT, HEADERS, OWN, POSTAL, VALUES
from tests.support.standards import check_digest

HERE = Path(__file__).parent
SAMPLES = {"english": CONTENT, "arabic": ARABIC}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_message_is_the_one_that_was_looked_at(name: str) -> None:
    content: Content = SAMPLES[name]
    rendering = Renderer(HERE.parents[1] / "templates" / "email").render(content)
    raw = compose(rendering, replace(HEADERS, subject=content.subject), OWN, VALUES)
    text, html = check_digest(raw, POSTAL)

    for suffix, found in {".eml": raw, ".txt": text.encode(), ".html": html.encode()}.items():
        path = HERE / f"{name}{suffix}"
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_bytes(found)
        assert path.read_bytes() == found, f"{path.name} differs"

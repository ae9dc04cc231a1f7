"""Import this in the process that runs are forked from: what each would compile anew is then compiled.

A whole edition is sent in it, with the SQL and the templates that it needs; nothing of it stays but those.
"""

import tempfile
from pathlib import Path

from jinja2 import Environment

from tests.support.fast_set_up import compile_once, share_compiled_statements
from tests.support.newsroom import Caught, Publication

share_compiled_statements(setattr)
Environment.compile = compile_once(Environment.compile)  # type: ignore[method-assign]
with tempfile.TemporaryDirectory() as folder, Caught() as relay:
    publication = Publication(Path(folder), f"sqlite:///{folder}/digest.db", port=relay.port)
    publication.begin()
    publication.run("send", "world", "--now")
    publication.run("audit")
    assert len(relay.messages) > 0

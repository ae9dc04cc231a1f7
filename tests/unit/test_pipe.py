"""A mail server's pipe starts a process a message: it loads next to nothing."""

import subprocess
import sys


def test_the_pipe_imports_nothing_that_is_slow() -> None:
    program = "import digest.cli, digest.cli.inbound.pipe, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"cyclopts", "pydantic", "sqlalchemy", "email", "sqlmodel", "jinja2", "rich"} & set(loaded)

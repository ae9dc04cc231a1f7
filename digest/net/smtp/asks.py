"""One step of a dialogue: what to write, and whose reply is then waited for."""

from dataclasses import dataclass

from digest.models import Stage


@dataclass(frozen=True, slots=True)
class Ask:
    """The next bytes to write, and the step whose reply is then waited for.

    `upgrade` asks for TLS before anything is written; `ends` marks the bytes that hold the final dot.
    """

    stage: Stage
    write: bytes = b""
    upgrade: bool = False
    ends: bool = False

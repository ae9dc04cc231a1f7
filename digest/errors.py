"""The error tree, cut by what the caller does next.

Every message is one line that names the value and the remedy, and holds no secret. An SMTP refusal is
not in here: it is a reply, and replies are data (`digest.models.reply`).
"""

from digest.safe_text import one_line


class DigestError(Exception):
    """Stop this command and print the message; no traceback."""

    exit_code = 1


class SettingsError(DigestError):
    """Stop: the settings must be mended first."""

    exit_code = 2


class UsageError(DigestError):
    """Stop: the command was called in a way that cannot be carried out."""

    exit_code = 2


class InputError(DigestError):
    """Set this one item aside, say why, and go on with the rest.

    What it quotes may come from anywhere: signs that break a line or draw on a terminal become blanks.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class NotPublished(InputError):  # noqa: N818 - named for what it is
    """Leave this one item out without complaint: its author does not publish it, or not any more."""


class Gone(InputError):  # noqa: N818 - named for what happened
    """Ask no more: the other side says that it is gone for good (RFC 9110 15.5.11)."""


class Unreachable(DigestError):  # noqa: N818 - named for what happened
    """Try again later: the other side did not answer."""


class Busy(Unreachable):
    """Try again at the time that the other side asks for; `retry_after` is its own text (RFC 9110 10.2.3)."""

    def __init__(self, message: str, retry_after: str | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(DigestError):  # noqa: N818 - named for what happened
    """Stop sending until the operator has decided something."""

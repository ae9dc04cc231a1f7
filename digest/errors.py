"""The exceptions, grouped by what the caller does next.

Every message is one line with the value and the remedy, and contains no secret. An SMTP refusal is not an
exception: it is a reply, and replies are values (`digest.models.reply`).
"""

from digest.safe_text import one_line


class DigestError(Exception):
    """Stop this command and print the message; no traceback."""

    exit_code = 1


class SettingsError(DigestError):
    """Stop: the settings must be corrected first."""

    exit_code = 2


class UsageError(DigestError):
    """Stop: the command was called in a way that cannot be carried out."""

    exit_code = 2


class InputError(DigestError):
    """Skip this one item, say why, and continue with the rest.

    What it quotes may come from anywhere: characters that break a line or draw on a terminal become spaces.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class NotPublished(InputError):  # noqa: N818 - named for what it is
    """Skip this one item silently: its author does not publish it, or no longer."""


class Gone(InputError):  # noqa: N818 - named for what happened
    """Do not ask again: the other side says that it is gone for good (RFC 9110 15.5.11)."""


class Unreachable(DigestError):  # noqa: N818 - named for what happened
    """Try again later: the other side did not respond."""


class Busy(Unreachable):
    """Try again at the time that the other side asks for; `retry_after` is its own text (RFC 9110 10.2.3)."""

    def __init__(self, message: str, retry_after: str | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StillComparing(Busy):
    """Try again in a moment: what this needs is being prepared."""

    def __init__(self) -> None:
        super().__init__("related articles are still being compared: try again in a moment", "1")


class Refused(DigestError):  # noqa: N818 - named for what happened
    """Stop sending until the operator has decided something."""

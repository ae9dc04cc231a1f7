"""What commands about readers share: options for digest and topics, and private files."""

from pathlib import Path
from typing import IO

from digest.bootstrap import Application
from digest.clock import is_time_zone
from digest.errors import InputError, UsageError
from digest.private_files import open_private
from digest.tasks.readers.lists.list_rows import split_topics


def digest_name(app: Application, name: str | None) -> str:
    """Return the digest that an option names, or the only one there is."""
    if name is not None:
        return app.settings.digest(name).name
    if len(app.settings.digests) == 1:
        return app.settings.digests[0].name
    raise UsageError(f"name one with --digest: {', '.join(d.name for d in app.settings.digests)}")


def check_details(app: Application, language: str | None, timezone: str | None) -> None:
    """Raise InputError for a language without a catalogue, and for what is no time zone."""
    known = app.renderer.catalogues
    if language and known.find(language) is None:
        raise InputError(
            f'"{language}" is not a language of this installation: pick {", ".join(known.languages)}'
        )
    if timezone and not is_time_zone(timezone):
        raise InputError(f'"{timezone}" is not a time zone: write it as Europe/Paris')


def read_topics(given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the topics of an option that may be repeated or list several: `--topics science,culture`."""
    if given is None:
        return None
    return tuple(dict.fromkeys(topic for text in given for topic in split_topics(text)))


def private_csv(path: Path) -> IO[str]:
    """Open a CSV file that only its owner can read; raise InputError if it cannot be written."""
    try:
        return open_private(path, newline="")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None

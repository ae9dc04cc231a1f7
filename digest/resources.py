"""The files that ship with the program: templates, the sample newsroom, the example settings."""

from importlib.resources import files
from pathlib import Path

from digest.errors import SettingsError


def bundled(name: str) -> Path:
    """Return the path of a file or folder that ships with the program.

    It is inside an installed wheel, or beside the package in a checkout. Raise SettingsError if the
    installation lacks it.
    """
    here = Path(str(files("digest")))
    for path in (here / "_bundled" / name, here.parent / name):
        if path.exists():
            return path
    raise SettingsError(f"{name} is missing from this installation; reinstall it")

"""Where the settings are: nothing else is imported, so that what runs each minute may ask."""

import os
from pathlib import Path


def find_config(explicit: Path | None) -> Path:
    """Find the settings file: the given one, else $DIGEST_CONFIG, else ./config.toml."""
    return explicit or Path(os.environ.get("DIGEST_CONFIG") or "config.toml")

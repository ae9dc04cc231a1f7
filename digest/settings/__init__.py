"""The settings: config.toml and DIGEST_* environment variables, validated whole before anything starts."""

from digest.settings.digests import DigestSettings
from digest.settings.kinds import parse_duration
from digest.settings.loading import find_config, load_settings
from digest.settings.tables import Database, Fetch, Site, SourceSettings, Web
from digest.settings.whole import Settings

__all__ = [
    "Database",
    "DigestSettings",
    "Fetch",
    "Settings",
    "Site",
    "SourceSettings",
    "Web",
    "find_config",
    "load_settings",
    "parse_duration",
]

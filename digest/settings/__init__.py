"""The settings: config.toml and DIGEST_* environment variables, validated whole before anything starts."""

from digest.settings.digests import DigestSettings
from digest.settings.kinds import parse_duration
from digest.settings.loading import find_config, load_settings
from digest.settings.tables import DatabaseSettings, FetchSettings, Site, SourceSettings, WebSettings
from digest.settings.whole import Settings

__all__ = [
    "DatabaseSettings",
    "DigestSettings",
    "FetchSettings",
    "Settings",
    "Site",
    "SourceSettings",
    "WebSettings",
    "find_config",
    "load_settings",
    "parse_duration",
]

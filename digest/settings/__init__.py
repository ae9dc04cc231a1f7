"""The settings: config.toml and DIGEST_* environment variables, validated whole before anything starts.

Open settings.py first.
"""

from digest.settings.digests import DigestSettings
from digest.settings.loading import find_service_manager, load_settings
from digest.settings.settings import Settings
from digest.settings.site import DatabaseSettings, FetchSettings, Site, SourceSettings, WebSettings
from digest.settings.types import parse_duration

__all__ = [
    "DatabaseSettings",
    "DigestSettings",
    "FetchSettings",
    "Settings",
    "Site",
    "SourceSettings",
    "WebSettings",
    "find_service_manager",
    "load_settings",
    "parse_duration",
]

"""The settings: config.toml and the environment, validated as a whole."""

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from digest.errors import SettingsError
from digest.settings.digests import DigestSettings
from digest.settings.dkim import DkimSettings, DnsSettings
from digest.settings.domains import LOOPBACK, is_aligned
from digest.settings.inbound import InboundSettings
from digest.settings.look import LookSettings
from digest.settings.site import (
    AnalyticsSettings,
    ApiSettings,
    DatabaseSettings,
    FetchSettings,
    LogSettings,
    Site,
    SourceSettings,
    TracesSettings,
    WebSettings,
)
from digest.settings.smtp import SmtpSettings
from digest.settings.topics import TopicSettings, meant

RESERVED = ("folder", "file")  # set by us, not a key of the file


class Settings(BaseSettings):
    """The whole configuration; relative paths are relative to `folder`."""

    model_config = SettingsConfigDict(
        env_prefix="DIGEST_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    site: Site
    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    web: WebSettings
    api: ApiSettings = ApiSettings()
    fetch: FetchSettings = FetchSettings()
    log: LogSettings = LogSettings()
    traces: TracesSettings = TracesSettings()
    dkim: DkimSettings = DkimSettings()
    dns: DnsSettings = DnsSettings()
    inbound: InboundSettings = InboundSettings()
    look: LookSettings = LookSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    sources: tuple[SourceSettings, ...] = ()
    topics: tuple[TopicSettings, ...] = ()
    digests: tuple[DigestSettings, ...] = Field(min_length=1)
    folder: Path = Path()
    file: Path = Path("config.toml")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file."""
        return env_settings, init_settings

    @model_validator(mode="before")
    @classmethod
    def _web_is_checked_when_absent(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {"web": {}, **values}

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        for kind, names in (
            ("sources", [s.name for s in self.sources]),
            ("topics", [t.name for t in self.topics]),
            ("digests", [d.name for d in self.digests]),
        ):
            for name, uses in Counter(names).items():
                if uses > 1:
                    raise ValueError(f'[[{kind}]] name "{name}" is used twice: each needs a name of its own')
        return self

    @model_validator(mode="after")
    def _skipped_digests_exist(self) -> "Settings":
        names = [digest.name for digest in self.digests]
        for digest in self.digests:
            for other in digest.skip:
                if other == digest.name:
                    raise ValueError(
                        f'[[digests]] "{digest.name}" skips itself: remove that, none repeats itself'
                    )
                if other not in names:
                    raise ValueError(
                        f'[[digests]] "{digest.name}" skips "{other}", which does not exist; there is'
                        f" {', '.join(names)}"
                    )
        return self

    @model_validator(mode="after")
    def _topics_meet(self) -> "Settings":
        """Refuse a digest's topic that nothing has and that is one letter from another which nobody offers.

        Feeds bring topics of their own, so that a topic without a source alone is no mistake.
        """
        unoffered = self.given_topics - {topic for digest in self.digests for topic in digest.topics}
        if not all(digest.topics for digest in self.digests):
            unoffered = set()  # a digest without topics has all of them
        for digest in self.digests:
            for topic in digest.topics:
                near = meant(topic, unoffered) if topic not in self.given_topics else ""
                if near:
                    raise ValueError(
                        f'[[digests]] "{digest.name}" has the topic "{topic}", which no source and no'
                        f" [[topics]] has{near}"
                    )
        return self

    @model_validator(mode="after")
    def _signature_is_aligned(self) -> "Settings":
        domain, sender = self.dkim.domain, self.site.from_domain
        if domain and not is_aligned(domain, sender):
            raise ValueError(
                f'[dkim] domain "{domain}" does not answer for From\'s domain "{sender}":'
                " use that, or one above or below it"
            )
        return self

    @model_validator(mode="after")
    def _secret_is_ours(self) -> "Settings":
        here = urlsplit(self.site.base_url).hostname in LOOPBACK
        if here and (self.web.host in LOOPBACK or not self.web.enabled):
            return self
        if former := self.web.former_weakness:
            raise ValueError(
                f"[web] old_secrets has one that {former}, so anybody could forge readers' links: remove it;"
                " links that were signed with it end"
            )
        if weakness := self.web.secret_weakness:
            raise ValueError(
                f"[web] secret {weakness}, so anybody could forge readers' links: put a random one in its"
                ' place (`python3 -c "import secrets; print(secrets.token_urlsafe(32))"`)'
            )
        return self

    @model_validator(mode="after")
    def _readers_have_a_way(self) -> "Settings":
        if not self.web.enabled and not self.inbound.address:
            raise ValueError(
                "[web] enabled = false leaves readers no way to confirm and leave: set [inbound] address, so"
                " that they do it by mail"
            )
        return self

    @property
    def given_topics(self) -> set[str]:
        """Return the topics that sources give to their articles, and that `[[topics]]` finds."""
        return {topic for source in self.sources for topic in source.topics} | {
            topic.name for topic in self.topics
        }

    @model_validator(mode="after")
    def _clicks_have_pages(self) -> "Settings":
        if self.analytics.counts_clicks and not self.web.enabled:
            raise ValueError(
                '[analytics] clicks = "count" needs our pages, over which its links lead: set [web]'
                " enabled = true"
            )
        return self

    @property
    def digests_in_order(self) -> list[DigestSettings]:
        """Return the digests in the order in which they are compiled: each after those that it skips."""
        ordered: list[DigestSettings] = []

        def place(digest: DigestSettings, above: tuple[str, ...]) -> None:
            for other in self.digests:
                if other.name in digest.skip and other.name not in above:
                    place(other, (*above, digest.name))
            if digest not in ordered:
                ordered.append(digest)

        for digest in self.digests:
            place(digest, (digest.name,))
        return ordered

    def digest(self, name: str) -> DigestSettings:
        """Return the digest of that name; raise SettingsError naming those that exist."""
        for digest in self.digests:
            if digest.name == name:
                return digest
        raise SettingsError(
            f'there is no digest "{name}"; there is {", ".join(d.name for d in self.digests)}'
        )

    @property
    def return_path_domain(self) -> str:
        """Return the domain of MAIL FROM, which SPF applies to."""
        inbound = self.inbound
        if inbound.is_verp:
            return inbound.domain
        return inbound.address.rpartition("@")[2] or self.site.from_domain

    @property
    def zone(self) -> ZoneInfo:
        """Return the publication's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def database_url(self) -> str:
        """Return the database's URL, a relative SQLite path being relative to the settings file."""
        path = self.database.url.removeprefix("sqlite:///")
        if path == self.database.url or path.startswith("/"):
            return self.database.url
        return f"sqlite:///{self.folder / path}"

    def path(self, text: str | Path) -> Path:
        """Return a path of the settings, a relative one being relative to the settings file."""
        return self.folder / text

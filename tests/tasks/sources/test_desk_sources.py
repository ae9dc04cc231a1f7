"""Sources that live in the database: joined with those of config.toml, which win; changed and removed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from digest.errors import InputError
from digest.models import Article, DeskSource
from digest.settings import Settings, SourceSettings
from digest.store.alerts import list_failing_sources
from digest.store.articles import sources
from digest.store.database import Database
from digest.tasks.articles.articles import mark_article
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.doctor.sources import judge_source
from digest.tasks.ledger.overrides import list_overrides
from digest.tasks.ledger.status_facts import find_next_run
from digest.tasks.sources.desk_sources import (
    SourceChanged,
    SourceUnknown,
    WantedSource,
    add_source,
    change_source,
    remove_source,
    show_source,
)
from digest.tasks.sources.health import list_sources, pause_source, resume_source
from tests.support.websites import Website, page

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLGA = "olga@courier.example"
ITEM = "<item><title>{0}</title><link>https://harbour.example/{0}</link></item>"


def feed(*titles: str) -> bytes:
    items = "".join(ITEM.format(title) for title in titles)
    return f'<rss version="2.0"><channel><title>Harbour</title>{items}</channel></rss>'.encode()


class Room:
    """A publication whose operator allowed the desk one private origin."""

    def __init__(self, database: Database, settings: Settings, site: Website) -> None:
        self.database, self.site = database, site
        origins = settings.fetch.model_copy(update={"private_sources": (site.url,)})
        self.settings = settings.model_copy(update={"fetch": origins, "sources": ()})
        self.now = NOW

    def configure(self, **values: Any) -> None:
        """Let config.toml have one source."""
        source = SourceSettings(allow_private=True, **values)
        self.settings = self.settings.model_copy(update={"sources": (source,)})

    def add(self, name: str = "harbour", path: str = "feed", **values: Any) -> DeskSource:
        wanted = WantedSource(f"{self.site.url}/{path}", name=name, **values)
        return add_source(self.database, self.settings, wanted, OLGA, self.now)

    def fetch(self, **options: Any) -> list[str]:
        return [one.source for one in fetch_due(self.database, self.settings, self.now, **options)]

    def names(self) -> list[str]:
        with self.database.read() as session:
            return [one.name for one in sources.known_sources(session, self.settings)]

    def articles(self) -> list[Article]:
        with self.database.read() as session:
            return list(session.exec(select(Article).order_by(col(Article.id))))

    def row(self, name: str = "harbour") -> DeskSource:
        with self.database.read() as session:
            found = sources.find_added(session, name)
        assert found is not None
        return found

    def acts(self, name: str = "harbour") -> list[str]:
        return [one.act for one in show_source(self.database, self.settings, name).acts]


@pytest.fixture
def room(database: Database, settings: Settings) -> Iterator[Room]:
    with Website(feed=page(feed("tide")), other=page(feed("storm"))) as site:
        yield Room(database, settings, site)


def test_what_is_added_is_fetched_by_the_next_run_with_what_was_set(room: Room) -> None:
    room.configure(name="other", url=f"{room.site.url}/other")
    assert room.fetch() == ["other"]
    assert find_next_run(room.database, room.settings, NOW) != NOW

    room.add(topics=("world", "sea"), language="nl", every="15m", title="The Harbour")

    assert find_next_run(room.database, room.settings, NOW) is None, "a run has something to do"
    assert room.names() == ["other", "harbour"]
    assert room.fetch() == ["harbour"]
    tide = room.articles()[-1]
    assert (tide.source, tide.topics, tide.language) == ("harbour", ["world", "sea"], "nl")
    room.now += HOUR / 4
    assert room.fetch() == ["harbour"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "other"}, r'config.toml has the name "other": choose another name'),
        ({"path": "other"}, r'config.toml has this address, as "other"'),
        ({"path": "other/#top"}, r'config.toml has this address, as "other"'),
        ({"name": "harbour"}, r'the desk has the name "harbour"'),
        ({"path": "feed"}, r'the desk has this address, as "harbour": change that one'),
        ({"name": "letters"}, r"choose another name"),
        ({"name": "added"}, r"choose another name"),
        ({"name": "press"}, r'articles that no source brought are called "press"'),
        ({"name": "Harbour News"}, r'the short name "Harbour News" must be 1 to 40 characters'),
        ({"topics": ("wrld",)}, r'no digest offers the topic "wrld"; did you mean "world"\?'),
        ({"topics": ("World!",)}, r"a topic must be 1 to 40 lower-case letters"),
        ({"every": "soon"}, r'the fetch interval "soon" must be a duration'),
        ({"every": "99999999999999w"}, r"must be a shorter time"),
        ({"every": "9" * 5_000 + "d"}, r"must be a shorter time"),
        ({"every": "8d"}, r"must be between 1m and 7d"),
        ({"every": "0"}, r"must be between 1m and 7d"),
        ({"max_new": "99999999999999999999"}, r"must be 10000 or less"),
        ({"max_new": "0"}, r"must be 1 or more"),
        ({"language": "Dutch"}, r'the language "Dutch" must be a language tag'),
    ],
)  # fmt: skip
def test_what_cannot_be_a_source_is_refused_with_the_remedy(
    room: Room, values: dict[str, Any], said: str
) -> None:
    room.configure(name="other", url=f"{room.site.url}/other")
    room.add()
    with room.database.write() as session:
        session.add(Article(source="press", canonical_url="https://p.example/1", url="https://p.example/1",
                            content_hash="1", title="Sent in", topics=["world"], first_seen_at=NOW))  # fmt: skip

    with pytest.raises(InputError, match=said):
        room.add(**{"name": "third", "path": "third", **values})

    assert room.names() == ["other", "harbour"]


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/feed", "http://10.0.0.8/feed", "http://localhost/feed", "http://nas.local/feed",
     "http://[::1]/feed", "http://169.254.169.254/latest/meta-data"],
)  # fmt: skip
def test_the_desk_reaches_no_private_address_that_the_operator_did_not_name(room: Room, address: str) -> None:
    with pytest.raises(InputError, match="private_sources"):
        add_source(room.database, room.settings, WantedSource(address, name="inside"), OLGA, NOW)


def test_a_name_that_leads_to_a_private_address_is_not_read_either(room: Room) -> None:
    room.add()
    room.settings = room.settings.model_copy(update={"fetch": room.settings.fetch.model_copy(
        update={"private_sources": ()})})  # fmt: skip

    (report,) = fetch_due(room.database, room.settings, NOW)

    assert "public" in report.error
    assert room.site.requests == []


@pytest.mark.parametrize("address", ["/etc/passwd", "file:///etc/passwd", "javascript:alert(1)"])
def test_a_path_of_the_server_is_no_source_of_the_desk(room: Room, address: str) -> None:
    with pytest.raises(InputError):
        add_source(room.database, room.settings, WantedSource(address, name="files"), OLGA, NOW)


def test_a_bare_name_is_a_host_and_no_folder_of_the_server(room: Room) -> None:
    added = add_source(room.database, room.settings, WantedSource("articles", name="files"), OLGA, NOW)
    assert added.url == "https://articles"


def test_the_database_itself_refuses_a_path(room: Room) -> None:
    row = DeskSource(name="files", url="/etc/passwd", every=60, max_new=1, added_by=OLGA, added_at=NOW,
                     changed_by=OLGA, changed_at=NOW)  # fmt: skip
    with pytest.raises(IntegrityError, match="ck_desk_source_url"), room.database.write() as session:
        session.add(row)


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [("harbour", "other", 'the name "harbour"'), ("port", "feed", 'this address, as "port"')],
)
def test_config_toml_wins_and_the_list_says_so(room: Room, name: str, path: str, said: str) -> None:
    room.add(topics=("sea",))

    room.configure(name=name, url=f"{room.site.url}/{path}")

    assert room.names() == [name]
    assert room.fetch() == [name]
    configured, overruled = list_sources(room.database, room.settings)
    assert (configured["lives_in"], configured["overruled_by"]) == ("config.toml", None)
    assert (overruled["name"], overruled["lives_in"], overruled["state"]) == ("harbour", "desk", "overruled")
    assert overruled["overruled_by"] == f"config.toml has {said}"
    remove_source(room.database, "harbour", None, OLGA, NOW)
    assert [row["name"] for row in list_sources(room.database, room.settings)] == [name]


def test_a_login_in_an_address_is_used_and_never_shown(room: Room) -> None:
    address = room.site.url.replace("http://", "http://ann:hush@") + "/feed?api_key=hidden"
    wanted = WantedSource(address, name="harbour")
    room.site.pages["/feed?api_key=hidden"] = room.site.pages["/feed"]
    add_source(room.database, room.settings, wanted, OLGA, NOW)

    assert room.fetch() == ["harbour"]
    assert room.site.requests[0][1]["authorization"].startswith("Basic ")
    said = str(list_sources(room.database, room.settings)) + str(room.acts())
    assert "hush" not in said
    assert "hidden" not in said


def test_a_change_is_recorded_and_a_stale_one_refused(room: Room) -> None:
    seen = room.add().version
    wanted = WantedSource("", title="The Harbour", topics=("sea", "world"), every="2h")

    change_source(room.database, room.settings, "harbour", seen, wanted, OLGA, NOW)
    with pytest.raises(SourceChanged):
        change_source(room.database, room.settings, "harbour", seen, replace(wanted, title="x"), OLGA, NOW)
    with pytest.raises(SourceChanged):
        remove_source(room.database, "harbour", seen, OLGA, NOW)

    assert (room.row().title, room.row().every) == ("The Harbour", 7_200)
    assert room.acts() == [
        "changed its name for readers from none to “The Harbour”; its topics from none to “sea, world”;"
        " its fetch interval from 1h to 2h",
        f"added it, {room.site.url}/feed",
    ]


def test_new_topics_reach_what_is_stored_with_the_next_fetch(room: Room) -> None:
    seen = room.add().version
    room.fetch()
    change_source(room.database, room.settings, "harbour", seen, WantedSource("", topics=("sea",)), OLGA, NOW)
    assert room.articles()[0].topics == []
    room.fetch()
    assert room.articles()[0].topics == ["sea"]


def test_a_removed_source_leaves_its_articles_with_their_topics(room: Room) -> None:
    room.add(topics=("sea",))
    room.fetch()

    assert remove_source(room.database, "harbour", room.row().version, OLGA, NOW) == 0

    assert room.names() == []
    assert room.fetch(every=True) == []
    (tide,) = room.articles()
    assert (tide.topics, tide.hidden_at) == (["sea"], None), "it stays a candidate"
    assert show_source(room.database, room.settings, "harbour").article_count == 1
    with pytest.raises(SourceChanged, match="was removed by olga"):
        remove_source(room.database, "harbour", None, OLGA, NOW)
    with pytest.raises(InputError, match="there is no source"):
        pause_source(room.database, room.settings, "harbour", OLGA, NOW)


def test_what_no_edition_has_had_can_be_hidden_with_its_source(room: Room) -> None:
    room.add()
    room.fetch()

    assert remove_source(room.database, "harbour", None, OLGA, NOW, hides=True) == 1

    (tide,) = room.articles()
    assert tide.hidden_at == NOW
    mark_article(room.database, str(tide.id), "hidden_at", on=False, now=NOW)
    assert room.articles()[0].hidden_at is None
    assert room.acts()[0] == "removed it, and hid 1 of its articles"


def test_a_removed_source_that_is_added_again_takes_up_its_articles(room: Room) -> None:
    room.add(topics=("sea",))
    room.fetch()
    pause_source(room.database, room.settings, "harbour", OLGA, NOW)
    remove_source(room.database, "harbour", None, OLGA, NOW)

    room.now += HOUR
    assert room.add(topics=("world",)).added_at == NOW + HOUR

    assert room.fetch() == ["harbour"], "its pause went with it"
    assert [(one.title, one.topics) for one in room.articles()] == [("tide", ["world"])]
    assert len(room.acts()) == 4


def test_a_source_of_config_toml_is_not_changed_from_here(room: Room) -> None:
    room.configure(name="other", url=f"{room.site.url}/other")
    with pytest.raises(SourceUnknown, match=r"what config\.toml has is changed there"):
        change_source(room.database, room.settings, "other", None, WantedSource(""), OLGA, NOW)
    with pytest.raises(SourceUnknown):
        remove_source(room.database, "other", None, OLGA, NOW)


def test_a_paused_source_is_not_fetched_when_its_address_in_config_toml_changes(room: Room) -> None:
    room.configure(name="wire", url=f"{room.site.url}/feed")
    room.fetch()
    pause_source(room.database, room.settings, "wire", OLGA, NOW)
    room.configure(name="wire", url=f"{room.site.url}/moved")

    assert room.fetch(every=True) == []

    (row,) = list_sources(room.database, room.settings)
    assert (row["state"], row["paused_by"]) == ("paused", OLGA)
    overrides = list_overrides(room.database, room.settings, NOW)
    assert [one.value for one in overrides if one.what == 'Source "wire"'] == ["paused"]
    resume_source(room.database, room.settings, "wire", OLGA, NOW)
    assert room.fetch() == ["wire"]


def test_a_paused_source_of_another_address_wakes_no_run(room: Room) -> None:
    room.configure(name="wire", url=f"{room.site.url}/feed")
    pause_source(room.database, room.settings, "wire", OLGA, NOW)
    stays = find_next_run(room.database, room.settings, NOW)
    room.configure(name="wire", url=f"{room.site.url}/moved")
    assert find_next_run(room.database, room.settings, NOW) == stays
    assert stays is not None


def test_of_two_people_who_pause_a_source_the_first_is_named(room: Room) -> None:
    room.add()
    pause_source(room.database, room.settings, "harbour", OLGA, NOW)
    pause_source(room.database, room.settings, "harbour", "ben@courier.example", NOW + HOUR)

    (row,) = list_sources(room.database, room.settings)
    assert (row["paused_by"], row["paused_at"]) == (OLGA, NOW)
    assert room.acts()[0] == "paused it"
    assert len(room.acts()) == 2


def test_nobody_is_alerted_to_a_source_that_somebody_paused(room: Room) -> None:
    room.configure(name="wire", url=f"{room.site.url}/nothing-here")
    room.fetch()
    with room.database.read() as session:
        assert [one.name for one in list_failing_sources(session)] == ["wire"]
    pause_source(room.database, room.settings, "wire", OLGA, NOW)
    with room.database.read() as session:
        assert list_failing_sources(session) == []
        row = sources.find_source(session, "wire")
    finding = judge_source(room.settings.sources[0], row, NOW)
    assert finding is not None
    assert "wire is paused, by olga@courier.example on 2026-11-24" in finding.found

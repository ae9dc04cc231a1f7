"""The calendar is iCalendar as programs read it: folded, escaped, one event an edition under a lasting UID."""

from datetime import UTC, datetime

from digest.models import EditionName
from digest.tasks.desk.calendar import CalendarEntry
from digest.tasks.editions.schedule import Arrival
from digest.web.shared.icalendar import write_calendar

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def write(*entries: CalendarEntry) -> bytes:
    return write_calendar(entries, "The Courier: editions", "https://courier.example", "courier.example", NOW)


def unfold(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


def test_an_edition_is_an_event_at_its_deadline_that_says_where_it_arrives_first_and_last() -> None:
    arrivals = Arrival("Pacific/Auckland", NOW), Arrival("Pacific/Honolulu", NOW.replace(hour=17))
    name = EditionName("world", "daily", "2026-11-27T07:00")
    entry = CalendarEntry(name, "World; a, b\\c", NOW, "draft", path=name.path, arrivals=arrivals)
    content = write(entry)
    lines = unfold(content)

    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "UID:world.daily.2026-11-27T0700@courier.example" in lines
    assert "DTSTART:20261126T000000Z" in lines
    assert "SUMMARY:World\\; a\\, b\\\\c" in lines
    assert (
        "DESCRIPTION:2026-11-27T07:00: to be made\\; first in Auckland at 13:00 on 2026-11-26\\,"
        " last in Honolulu at 07:00 on 2026-11-26" in lines
    )
    assert "URL:https://courier.example/desk/world/daily/2026-11-27T07:00" in lines
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))


def test_no_letter_is_parted_and_no_title_adds_a_line() -> None:
    name = EditionName("world", "daily", "2026-11-27")
    content = write(CalendarEntry(name, "Ž" * 60 + "\r\nATTENDEE:mailto:x@x.example\x07", NOW, "skipped"))

    assert f"SUMMARY:{'Ž' * 60}\\nATTENDEE:mailto:x@x.example�" in unfold(content)
    assert b"\nATTENDEE" not in content
    assert "STATUS:CANCELLED" in unfold(content)

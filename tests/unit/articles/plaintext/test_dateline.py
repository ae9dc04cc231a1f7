"""Datelines and bylines: place, agency, author and time as newspapers of the world write them."""

from datetime import UTC, datetime

import pytest

from digest.articles.plaintext.byline import read_byline
from digest.articles.plaintext.dateline import read_dateline


@pytest.mark.parametrize(
    ("text", "place", "agency"),
    [
        ("MOSCOW — The", "MOSCOW", None),
        ("PARIS (AFP) — The", "PARIS", "AFP"),
        ("YEREVAN, Armenia (AP) - The", "YEREVAN, Armenia", "AP"),
        ("(Reuters) - The", None, "Reuters"),
        ("LONDON, Nov. 17 (UPI) -- The", "LONDON", "UPI"),
        ("BERLIN/PARIS — The", "BERLIN/PARIS", None),
        ("WASHINGTON, D.C. — The", "WASHINGTON, D.C.", None),
        ("St. Petersburg — Police", "St. Petersburg", None),
        ("Berlin (dpa) - Die", "Berlin", "dpa"),
        ("SÃO PAULO — O", "SÃO PAULO", None),
        ("FRANKFURT AM MAIN — Die", "FRANKFURT AM MAIN", None),
        ("N’DJAMENA (AFP) - Le", "N’DJAMENA", "AFP"),
        ("McALLEN, Texas — A", "McALLEN, Texas", None),
        ("МОСКВА, 17 ноября. /ТАСС/. Мост", "МОСКВА", "ТАСС"),
        ("МОСКВА, 17 ноя — РИА Новости. Мост", "МОСКВА", "РИА Новости"),
        ("YEREVAN, NOVEMBER 17, ARMENPRESS. The", "YEREVAN", "ARMENPRESS"),
        ("ԵՐԵՎԱՆ — Կամուրջը", "ԵՐԵՎԱՆ", None),
        ("NEW DELHI: The", "NEW DELHI", None),
        ("(ANSA) - ROMA, 17 NOV - Il", "ROMA", "ANSA"),
        ("NEW YORK, November 17, 2020 /PRNewswire/ -- A", "NEW YORK", "PRNewswire"),
        ("BUENOS AIRES.- El", "BUENOS AIRES", None),
        ("LONDON — £3bn", "LONDON", None),
    ],
)
def test_a_dateline_gives_place_and_agency(text: str, place: str | None, agency: str | None) -> None:
    read = read_dateline(f"{text} bridge reopened.")
    assert (read.place, read.agency) == (place, agency)
    assert read.rest == f"{text.split()[-1]} bridge reopened."


@pytest.mark.parametrize(
    "text",
    [
        "The ferry — it was blue — is for sale.", "NASA — the agency — said so.", "UPDATE — The bridge is open.",
        "BREAKING NEWS — Police are there.", "John Smith — The actor came.", "WATCH: The bridge opens.",
        "President Biden (D) — He came.", "Joe Biden (USA) — He came.", "U.S. — The union.",
        "“MOSCOW — Russian” it says.", "Q — What now?", "I — And you?", "PARIS. The town.",
    ],
)  # fmt: skip
def test_a_sentence_with_a_dash_is_no_dateline(text: str) -> None:
    assert read_dateline(text).rest == text


@pytest.mark.parametrize(
    ("block", "author", "published_at"),
    [
        ("By ELSA QUAY", "Elsa Quay", None),
        ("By Elsa Quay, Associated Press", "Elsa Quay", None),
        ("Von Elsa Kai, Hafenstadt", "Elsa Kai", None),
        ("Автор: Иван Петров", "Иван Петров", None),
        ("by Elsa Quay | Nov 17, 2020 | News | 12 comments", "Elsa Quay", datetime(2020, 11, 17, tzinfo=UTC)),
        ("Published: November 17, 2020 10:30 am EST", None, datetime(2020, 11, 17, 15, 30, tzinfo=UTC)),
        ("17. November 2020, 14:05 Uhr", None, datetime(2020, 11, 17, 14, 5, tzinfo=UTC)),
        ("Publié le 17 novembre 2020 à 14h05", None, datetime(2020, 11, 17, 14, 5, tzinfo=UTC)),
        ("17 ноября 2020, 14:05", None, datetime(2020, 11, 17, 14, 5, tzinfo=UTC)),
        ("2020-11-17", None, datetime(2020, 11, 17, tzinfo=UTC)),
        ("By Ann Quay and Bo Lee, Nov. 17, 2020", "Ann Quay and Bo Lee", datetime(2020, 11, 17, tzinfo=UTC)),
    ],
)
def test_a_byline_gives_author_and_time(
    block: str, author: str | None, published_at: datetime | None
) -> None:
    assert read_byline(block) == (author, published_at)


@pytest.mark.parametrize(
    "block",
    [
        "By the end of the year the bridge will stand.", "By land and by sea", "In 2020 the bridge fell.",
        "The bridge of 17 November 2020 is a sad chapter", "Par avion", "Bridge reopens",
    ],
)  # fmt: skip
def test_a_sentence_or_title_is_no_byline(block: str) -> None:
    assert read_byline(block) is None

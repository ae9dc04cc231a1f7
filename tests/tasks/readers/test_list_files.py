"""Lists as people have them: encodings, delimiters, headings, bare addresses, quotes."""

from pathlib import Path

import pytest

from digest.errors import InputError
from digest.tasks.readers.lists.csv_import import ImportOptions, import_subscribers
from digest.tasks.readers.lists.list_file import open_list
from digest.tasks.readers.privacy import show
from digest.tasks.readers.readers import Readers
from tests.tasks.readers.test_csv_import import NOW
from tests.tasks.readers.test_list_tools import readers, take, taken

__all__ = ["readers", "taken"]  # fixtures

ROWS = "email;name\nzoe@a.example;Zoë Größe\nbo@a.example;Bo\n"


def write(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"), ("cp1252", "cp1252"), ("mac_roman", "mac_roman"), ("cp850", "cp850"),
    ],
)  # fmt: skip
def test_a_list_is_read_in_the_encoding_that_it_has(
    readers: Readers, tmp_path: Path, encoding: str, told: str
) -> None:

    file = write(tmp_path / "list.csv", ROWS.encode(encoding))
    report = import_subscribers(readers, file, "world", "x", NOW)
    assert (report.added, report.encoding) == (2, told)
    assert show(readers, "zoe@a.example")["name"] == "Zoë Größe"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Łukasz Żółć", "cp1250"), ("Иван Петров", "cp1251"), ("Иван Петров", "koi8_r"), ("Γιώργος Παπάς", "cp1253"),
        ("Şükrü Işık", "cp1254"), ("Şükrü Işık Ğ", "cp1254"), ("山田太郎", "cp932"), ("陳大文", "big5"), ("O’Hara – Müller", "cp1252"), ("José Muñoz", "mac_roman"),
        ("רונית כהן", "cp1255"), ("محمد علي", "cp1256"), ("فاطمة حسن", "iso8859_6"),
    ],
)  # fmt: skip
def test_a_code_page_is_guessed_from_its_letters(tmp_path: Path, name: str, encoding: str) -> None:
    file = write(tmp_path / "list.csv", f"email,name\na@a.example,{name}\n".encode(encoding))
    with open_list(file) as found:
        assert found.encoding == encoding
        assert name in found.sample[1]


def test_one_foreign_line_in_a_list_in_utf_8_does_not_change_the_others(tmp_path: Path) -> None:
    data = "email,name\na@a.example,Łukasz\n".encode() + "b@a.example,Zoë\n".encode("cp1252")
    with open_list(write(tmp_path / "list.csv", data)) as found:
        assert [line.strip() for line in found.sample[1:]] == ["a@a.example,Łukasz", "b@a.example,Zoë"]


def test_an_encoding_that_is_named_is_not_guessed(readers: Readers, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", b"email,name\na@a.example,Zo\x91\n")
    for encoding, name in ((None, "Zoë"), ("cp1252", "Zo‘"), ("mac_roman", "Zoë")):
        with open_list(file, encoding) as found:
            assert found.sample[1] == f"a@a.example,{name}\n"


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nemail;name\r\nann@a.example;Ann\r\n",
        '"sep=\t"\nName\tE-Mail\nAnn\tann@a.example\n',
        "\n\nReaders of the Courier\nas of March\n\nname,email\nAnn,ann@a.example\n",
        "Verteiler;;\n;;\nNr.;Adresse des Lesers;Rufname\n1;ann@a.example;Ann\n",
        "ann@a.example\n",
        "Ann <ann@a.example>\n",
        "E-Mail\nann@a.example (Ann)\n",
        '"Berg, Ann" <ann@a.example>\n',
        "mailto:ann@a.example,\n",
        "1|ann@a.example|Ann\n",
        "Name,Address,Mail contact\nAnn,1 Quay Street,ann@a.example\n",
        "メールアドレス,名前\nann@a.example,Ann\n",
        "Name,Adressat\nAnn,\u200bann@a.example\u00a0\n",
        "email,name\n\ufeffann@a.\u00adexample,Ann\n",
        "email\rann@a.example\r",
        '"email"\n"ann@a.example"\n',
        "1. ann@a.example\n",
        "* ann@a.example\n",
        "- Ann <ann@a.example>\n",
        "'ann@a.example'\n",
        "email\nann＠a．example\n",
        "email\nann@a.example.\n",
        "email\n\u2066ann@\u200da.example\u2069\n",
    ],
)
def test_the_addresses_are_found_wherever_they_stand(readers: Readers, tmp_path: Path, text: str) -> None:
    report = take(readers, tmp_path / "list.csv", text)
    assert (report.added, report.rejected) == (1, [])
    assert show(readers, "ann@a.example")["address"] == "ann@a.example"


def test_a_list_may_hold_several_addresses_a_line(readers: Readers, tmp_path: Path) -> None:
    report = take(readers, tmp_path / "list.txt", "a@a.example, Bo <b@a.example>; x\nc@a.example\n")
    assert report.added + report.rejected_count >= 2
    report = take(readers, tmp_path / "to.txt", "d@a.example, e@a.example, Fay <f@a.example>\n")
    assert report.added == 3
    assert show(readers, "f@a.example")["name"] == "Fay"
    report = take(readers, tmp_path / "pasted.txt", "g@a.example h@a.example\ti@a.example\nj@a.example\n")
    assert (report.added, report.rejected_count) == (4, 0)


def test_in_a_list_without_a_header_a_word_of_a_departure_counts(readers: Readers, tmp_path: Path) -> None:
    report = take(
        readers, tmp_path / "list.csv", "a@a.example,Ann,x\nb@a.example,Bo,unsubscribed\nc@a.example,Co,\n"
    )
    assert (report.added, report.departed) == (2, 1)


def test_line_numbers_count_what_stands_above_the_header(readers: Readers, tmp_path: Path) -> None:
    report = take(
        readers, tmp_path / "list.csv", 'sep=,\n\nOur list\nemail,name\n"a@a.example","two\nlines"\nnobody,\n'
    )
    assert report.added == 1
    assert [line for line, _ in report.rejected] == [7]


def test_a_list_of_departures_can_be_named_so(readers: Readers, tmp_path: Path) -> None:
    from digest.rules.readers.row_states import ListState

    report = take(readers, tmp_path / "a.csv", "a@a.example\n", ImportOptions(state=ListState.BOUNCED))
    assert report.departed == 1


@pytest.mark.parametrize(
    "row",
    [
        '"\\"The Bo\\", Bo","",bo@a.example,unsubscribed',
        "Bo, the first,,bo@a.example,unsubscribed",
        "Bo,,bo@a.example,subscribed,,left again",
    ],
)
def test_a_row_whose_cells_are_shifted_is_refused_and_the_others_are_read(
    readers: Readers, tmp_path: Path, row: str
) -> None:
    """MailPoet writes a quotation mark as \\" and thereby ends the cell at the next comma."""
    text = f"First name,Last name,Email,Global status\nAnn,,ann@a.example,subscribed\n{row}\n"
    report = import_subscribers(readers, write(tmp_path / "list.csv", text.encode()), "world", "x", NOW)

    assert (report.added, len(report.rejected)) == (1, 1)
    [(line, reason)] = report.rejected
    assert line == 3
    assert "cells where the header has 4" in reason


def test_columns_without_a_name_in_most_rows_shift_nothing(readers: Readers, tmp_path: Path) -> None:
    text = (
        "email,name\n" + "".join(f"r{number}@a.example,Bo,x,y\n" for number in range(3)) + "z@a.example,Zoe\n"
    )

    report = import_subscribers(readers, write(tmp_path / "list.csv", text.encode()), "world", "x", NOW)

    assert (report.added, report.rejected) == (4, [])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("BEGIN:VCARD\r\nFN:Ann\r\nEMAIL;TYPE=INTERNET:ann@a.example\r\nEND:VCARD\r\n", "a vCard"),
        ("\ufeffbegin:vcard\nemail:ann@a.example\nend:vcard\n", "a vCard"),
        ("dn: cn=Ann Lee,mail=ann@a.example\nmail: ann@a.example\n", "an LDIF"),
        ("version: 1\n\n# people\ndn:: Y249QW5u\nmail: ann@a.example\n", "an LDIF"),
        ('[{"email": "ann@a.example", "status": "unsubscribed"}]', "JSON"),
        ('{\n "members": [{"email": "ann@a.example"}]}', "JSON"),
        ('["ann@a.example", "bo@a.example"]', "JSON"),
        ("<!DOCTYPE html>\n<table>\n<tr><td>ann@a.example</td></tr></table>", "a web page or XML"),
        ("{\\rtf1\\ansi\n{\\fonttbl\\f0 Arial;}\nann@a.example\\par\n}", "a word processor's text"),
        ("INSERT INTO readers VALUES (1,'ann@a.example','unsubscribed');\n", "a dump"),
        (
            "-- MySQL dump 10.13\n\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `readers`;\n"
            "INSERT INTO `readers` VALUES (1,'ann@a.example');\n",
            "a dump",
        ),
        (
            "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"
            "COPY public.readers (id, email) FROM stdin;\n1\tann@a.example\n",
            "a dump",
        ),
        ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nINSERT INTO r VALUES('ann@a.example');\n", "a dump"),
        ("Return-Path: <ann@a.example>\r\nFrom: Ann <ann@a.example>\r\n\r\nThe list.\r\n", "a mail"),
        (
            "From: Ann <ann@a.example>\nTo: bo@a.example,\n cy@a.example\nMessage-ID: <1@a.example>\n\nThe list.\n",
            "a mail",
        ),
        ("From ann@a.example Mon Nov 23 07:00:00 2026\nReceived: from a.example\n\nThe list.\n", "a mail"),
        ("- email: ann@a.example\n  status: unsubscribed\n- email: bo@a.example\n", "YAML"),
        ("---\nreaders:\n  - ann@a.example\n  - bo@a.example\n", "YAML"),
        ("# readers\nreaders:\n- ann@a.example\n", "YAML"),
        ('[[readers]]\nemail = "ann@a.example"\nstatus = "unsubscribed"\n', "TOML"),
        ('# readers\nreaders = ["ann@a.example", "bo@a.example"]\n', "TOML"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_address_book_in_another_format_is_refused_with_the_remedy(
    tmp_path: Path, text: str, what: str, encoding: str
) -> None:
    path = write(tmp_path / "readers.csv", text.encode(encoding))
    with pytest.raises(InputError, match=f"is {what}.*, not CSV: .*as CSV \\(UTF-8"), open_list(path):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "<ann@a.example>\n",
        "[Members]\nann@a.example\n",
        "version,email\n1,ann@a.example\n",
        "{Name},{Email}\nAnn,ann@a.example\n",
        "- ann@a.example\n",
        "---\nann@a.example\n",
        "Date: 2026-11-23\nList: World\n\nemail,name\nann@a.example,Ann\n",
        "# readers\nemail,name\nann@a.example,Ann\n",
    ],
)
def test_a_list_that_only_begins_like_another_format_is_read(
    readers: Readers, tmp_path: Path, text: str
) -> None:
    report = take(readers, tmp_path / "people.csv", text)
    assert show(readers, "ann@a.example")["address"] == "ann@a.example"
    assert report.added == 1


@pytest.mark.parametrize(
    "text",
    [
        '"email,name"\n"ann@a.example,Ann ""Nan"" Lee"\n"bo@a.example,Bo"\n',
        '"email;name";;\n"ann@a.example;Ann ""Nan"" Lee";;\n\n"bo@a.example;Bo";;\n',
    ],
)
def test_rows_that_are_one_quoted_cell_each_are_read_as_rows(
    readers: Readers, tmp_path: Path, text: str
) -> None:
    report = take(readers, tmp_path / "people.csv", text)
    assert (report.added, show(readers, "ann@a.example")["name"]) == (2, 'Ann "Nan" Lee')


def test_one_quoted_column_with_empty_ones_beside_it_stays_as_it_is(readers: Readers, tmp_path: Path) -> None:
    report = take(readers, tmp_path / "people.csv", '"email",,\n"ann@a.example",,\n"bo@a.example",,\n')
    assert report.added == 2


def test_a_name_may_follow_the_address(readers: Readers, tmp_path: Path) -> None:
    report = take(readers, tmp_path / "dump.txt", "ann@a.example Ann Lee\nbo@a.example\ncy@a.example\tCy\n")
    assert (report.added, show(readers, "ann@a.example")["name"]) == (3, "Ann Lee")


def test_a_name_keeps_the_joiners_of_its_script(readers: Readers, tmp_path: Path) -> None:
    take(readers, tmp_path / "people.csv", "email,name\nann@a.example,علی\u200cرضا\n")
    assert show(readers, "ann@a.example")["name"] == "علی\u200cرضا"

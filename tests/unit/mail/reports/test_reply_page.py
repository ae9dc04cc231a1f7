"""In a reply of HTML alone, what is quoted is told by the elements that mail programs put around it."""

import pytest

from digest.mail.reports.classification import read_letter
from digest.mail.reports.parts import read_mail
from digest.mail.reports.reply_page import to_lines

OWN = "The bridge was never closed.\n\nI walked over it."
WRITTEN = "<p>The bridge was never closed.</p><p>I walked over it.</p>"
QUOTED = "<p>Old bridge reopens</p><p>after nine winters</p>"
PROGRAMS = {
    "gmail": '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">ma 23. klo 7 Courier:<br></div><blockquote class="gmail_quote">{}'
    "</blockquote></div>",
    "thunderbird": '<div class="moz-cite-prefix">Zz 23.11.26 Courier qqq:<br></div><blockquote type="cite" cite="mid:1@x">{}</blockquote>',
    "apple": '<div><br><blockquote type="cite"><div>On 23 Nov 2026, at 07:05, Courier wrote:</div>{}</blockquote></div>',
    "yahoo": '<div id="yahoo_quoted_1" class="yahoo_quoted"><div>On Monday, Courier &lt;news@courier.example&gt; wrote:</div>{}</div>',
    "outlook on the web": '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Qqq:</b> Courier</div><div>{}</div>',
    "outlook": '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p><b>Qqq:</b> Courier</p></div>{}',
    "proton": '<div class="protonmail_quote">------- Original Message -------<br>On Monday Courier wrote:<blockquote>{}</blockquote></div>',
    "an attribution and a plain blockquote": "<p>On 23 Nov 2026, at 07:05, Courier wrote:</p><blockquote>{}</blockquote>",
    "a block of fields": "<div><b>From:</b> Courier &lt;news@courier.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Anna</div>{}",
}  # fmt: skip


def letter(page: str) -> bytes:
    return b"From: anna@readers.example\nContent-Type: text/html; charset=utf-8\n\n" + page.encode()


@pytest.mark.parametrize("quote", PROGRAMS.values(), ids=PROGRAMS)
def test_what_a_mail_program_quotes_is_folded_away(quote: str) -> None:
    read = read_letter(read_mail(letter(f"<html><body>{WRITTEN}{quote.format(QUOTED)}</body></html>")))

    assert read.own == OWN
    assert "nine winters" in read.quoted


@pytest.mark.parametrize("name", ["gmail", "thunderbird", "apple", "yahoo", "proton"])
def test_what_stands_below_a_closed_quote_is_the_writers_own(name: str) -> None:
    page = f"<body>{PROGRAMS[name].format(QUOTED)}{WRITTEN}</body>"

    assert read_letter(read_mail(letter(page))).own == OWN


def test_answers_between_quotes_are_the_writers_own() -> None:
    page = '<blockquote type="cite">Nine winters?</blockquote><p>Ten.</p><blockquote type="cite">One?</blockquote><p>Two.</p>'

    assert read_letter(read_mail(letter(page))).own.split() == ["Ten.", "Two."]


def test_a_quotation_of_the_writers_own_is_kept() -> None:
    page = "<p>As the poet says</p><blockquote>All bridges open</blockquote><p>and so it was.</p>"

    assert "All bridges open" in read_letter(read_mail(letter(page))).own


def test_a_signature_element_is_folded_away() -> None:
    read = read_letter(read_mail(letter(f'{WRITTEN}<div class="gmail_signature">Anna Lind<br>Quay 3</div>')))

    assert read.own == OWN
    assert "Quay 3" in read.signature


def test_comments_styles_and_declarations_are_no_words() -> None:
    page = "<!DOCTYPE html><?xml version=1?><head><title>x</title></head><!--[if mso]>y<![endif]--><style>z</style>Hello"

    assert to_lines(page) == "Hello"


@pytest.mark.parametrize(
    "hostile", ["<div>" * 50_000, "<!--" * 50_000, '<a "' * 50_000, "<blockquote>" * 20_000, "</p>" * 50_000]
)
def test_a_hostile_page_costs_little(hostile: str) -> None:
    assert len(to_lines(f"Hello {hostile} bye")) < 1_000_000

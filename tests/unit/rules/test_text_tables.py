"""Tables as a reader of plain text gets them, in the text of an article and in the text part of a message."""

import pytest

from digest.articles.html.cleaning import clean_html, plain_text
from digest.mail.rendering.text_part import plain, wrap

TABLES = {
    "columns are aligned": (
        "<tr><th>Gate</th><th>Tons</th></tr><tr><td>North</td><td>1,200</td></tr><tr><td>South</td><td></td></tr>",
        ["Gate  | Tons", "North | 1,200", "South"],
    ),
    "wide letters count as two": (
        "<tr><th>水門</th><th>年</th></tr><tr><td>北水門</td><td>1897</td></tr>",
        ["水門   | 年", "北水門 | 1897"],
    ),
    "a cell that spans rows stands in each": (
        '<tr><td rowspan="2">North</td><td>1897</td></tr><tr><td>1920</td></tr>',
        ["North | 1897", "North | 1920"],
    ),
    "a cell that spans columns moves the next ones": (
        '<tr><th colspan="2">Gate</th><th>Tons</th></tr><tr><td>North</td><td>old</td><td>40</td></tr>',
        ["Gate  |     | Tons", "North | old | 40"],
    ),
    "lines of a cell stay apart": (
        "<tr><th>Gate</th><th>Keepers</th></tr><tr><td>North</td><td>Ada<br>Per</td></tr>",
        ["Gate  | Keepers", "North | Ada / Per"],
    ),
    "paragraphs of a cell stay apart": (
        "<tr><th>Gate</th><th>Keepers</th></tr><tr><td>North</td><td><p>Ada</p><p>Per</p></td></tr>",
        ["Gate  | Keepers", "North | Ada / Per"],
    ),
    "a table that is too wide is told row by row": (
        "<tr>" + "".join(f"<th>Column {n}</th>" for n in range(9)) + "</tr>"
        "<tr>" + "".join(f"<td>{n} metres</td>" for n in range(9)) + "</tr>",
        [f"Column {n}: {n} metres" for n in range(9)],
    ),
    "long texts have the names of their columns": (
        f"<tr><th>Gate</th><th>History</th></tr><tr><td>North</td><td>{'Old. ' * 13}</td></tr>"
        "<tr><td>South</td><td></td></tr>",
        ["Gate: North", f"History: {('Old. ' * 13).strip()}", "", "Gate: South"],
    ),
    "a list in a cell is one line of it": (
        "<tr><th>Gate</th><th>Parts</th></tr><tr><td>North</td><td><ul><li>leaf</li><li>lock</li></ul></td></tr>",
        ["Gate: North", "Parts: leaf / lock"],
    ),
    "a layout is its blocks": (
        f"<tr><td>{'Left. ' * 11}</td><td>Right.</td></tr>",
        [("Left. " * 11).strip(), "Right."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_readable_as_text(name: str) -> None:
    rows, lines = TABLES[name]
    html = clean_html(f"<p>Before.</p><table>{rows}</table><p>After.</p>", "https://quay.example/")
    wanted = ["Before.", "", *lines, "", "After."]

    assert plain_text(html).split("\n") == wanted
    shown = wrap(plain(html).text, columns=200).split("\n")
    if name != "a layout is its blocks":  # paragraphs there, lines here
        assert shown == wanted


def test_a_caption_stands_above_its_table_in_html_and_text() -> None:
    html = clean_html(
        "<table><caption>Gates of <i>Feld</i></caption><tr><td>North</td><td>1897</td></tr></table>",
        "https://quay.example/",
    )
    assert html.startswith("<p><strong>Gates of <i>Feld</i></strong></p>")
    assert plain_text(html) == plain(html).text.replace("\v", "") == "Gates of Feld\n\nNorth | 1897"


def test_links_in_a_table_are_marked_in_the_text_part() -> None:
    shown = plain('<table><tr><td>North</td><td><a href="https://quay.example/n">page</a></td></tr></table>')
    assert (shown.text.replace("\v", ""), shown.links) == (
        "North | page [a]",
        (("a", "https://quay.example/n"),),
    )


def test_a_table_within_a_table_follows_the_text_around_it() -> None:
    html = (
        "<table><tr><td>Gates</td><td><table><tr><td>North</td><td>1897</td></tr></table></td></tr></table>"
    )
    for text in (plain_text(html), plain(html).text.replace("\v", "")):
        assert text.split("\n\n") == ["Gates", "North | 1897"]


def test_spans_that_no_table_has_are_bounded() -> None:
    html = '<table><tr><td colspan="9999" rowspan="9999">a</td><td>b</td></tr><tr><td>c</td></tr></table>'
    assert len(plain_text(html)) < 1_000

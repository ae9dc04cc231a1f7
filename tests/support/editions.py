"""Whole editions as a newsroom would send them, in three scripts: what looks are looked at with."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from digest.mail.headers import Headers, ReaderHeaders
from digest.mail.message import Composition
from digest.mail.rendering.content import Card, Content, Elsewhere, Publication, Section
from digest.mail.rendering.renderer import Renderer, Rendering
from digest.models import Form, VariantArticle
from tests.support.samples import HEADERS, OWN
from tests.support.standards import parse

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
POSTAL = "The Harbour Courier, 1 Quay Street, Harbourtown"
PICTURES = "https://courier.example/pictures"


def story(
    number: int, title: str, summary: str = "", author: str = "", minutes: int = 2, **named: object
) -> Card:
    """Return one article's card."""
    card = Card(
        id=number,
        form=Form.SUMMARY,
        title=title,
        url=f"https://courier.example/stories/{number}",
        summary=summary,
        author=author or None,
        reading_minutes=minutes,
        published_at=NOW - timedelta(hours=5 * number),
        language="en",
    )
    return replace(card, **named)  # type: ignore[arg-type]


ENGLISH = Content(
    publication=Publication("The Harbour Courier", "https://courier.example", POSTAL),
    digest="world",
    title="World Briefing",
    cadence="daily",
    period="2026-11-23",
    dated_at=NOW,
    timezone="Europe/Paris",
    language="en",
    subject="World Briefing: Harbour bridge reopens after eleven months of repairs",
    preheader="Parliament opens the state archives · Small states agree on a common storm fund",
    introduction='<p>Good morning. The bridge is back, the ferries rest on Sunday, and <a href="https://courier.example/letters">your letters</a> about the bells were all read.</p>',
    lead=story(
        1, "Harbour bridge reopens after eleven months of repairs",
        "The old swing bridge turns again, and with it the traffic of three islands. Shopkeepers who lost a third of their trade are to be paid from a fund.",
        "Mara Lindqvist", 3, place="HARBOURTOWN",
        image_url=f"{PICTURES}/harbour-bridge.png", image_alt="The swing bridge at dawn, a red bus on it",
    ),
    sections=(
        Section("World", (
            story(2, "Parliament opens the state archives", "Files older than thirty years will be open to everyone, with few exceptions.", "Luc Moreau", place="PARIS"),
            story(3, "Small states agree on a common storm fund", "Fourteen island states pool their insurance, and pay out within ten days.", "Luc Moreau", 4,
                  also_at=(Elsewhere("The Tide Table", "https://tide.example/fund"),)),
        )),
        Section("Business", (
            story(4, "Bakers buy their bakery", "Thirty-one employees take over the mill and four shops from its retiring owner.", "Nadia O’Brien", 3,
                  image_url=f"{PICTURES}/bakery.png", image_alt="Loaves under a striped awning"),
            story(5, "Why heat pumps are getting quiet", "New blades copied from an owl’s feather halve the noise.", "Jonas Weil"),
            story(6, "Rail freight sets a record", "Automatic couplings pay off sooner than anyone had said.", "Jonas Weil", 2),
        )),
        Section("Science", (
            story(7, "Glass sponges older than the pyramids", "Researchers date a reef of glass sponges at almost nine thousand years.", "Dr. Kemi Adeyemi", 5,
                  image_url=f"{PICTURES}/glass-sponges.png", image_alt="Glass sponges on the sea floor"),
        )),
        Section("Culture", (
            story(8, "An orchestra plays the shipyard", "A symphony for cranes, hulls and sixty strings fills dry dock two.", "Elsa Ångström", 3),
            story(9, "Der Leuchtturm, der nicht blinken wollte", "Ein Kinderbuch aus Husum erobert die Bühnen.", "Sofia Marchetti", 1, language="de"),
        )),
    ),
    related=(
        story(21, "The ferries that stood in for the bridge"),
        story(22, "Who pays when a barge goes astray"),
        story(23, "Ninety seconds: the motor that turns a deck"),
        story(24, "Three islands, one timetable"),
    ),
    left_out=5,
    archive_url="https://courier.example/archive/world/daily/2026-11-23",
)  # fmt: skip

_BLANK = replace(ENGLISH, introduction="", related=())

ARABIC = replace(
    _BLANK,
    language="ar",
    title="موجز العالم",
    publication=Publication("بريد الميناء", "https://courier.example", POSTAL),
    subject="موجز العالم: جسر الميناء يفتح من جديد",
    preheader="البرلمان يفتح الأرشيف",
    lead=story(
        1, "جسر الميناء يفتح من جديد بعد أحد عشر شهرًا من الإصلاح",
        "عاد الجسر الدوّار القديم إلى الدوران، وعادت معه حركة ثلاث جزر.", "مارا ليندكفيست", 3,
        language="ar", place="هاربورتاون",
        image_url=f"{PICTURES}/harbour-bridge.png", image_alt="الجسر عند الفجر",
    ),
    sections=(
        Section("العالم", (
            story(2, "البرلمان يفتح أرشيف الدولة", "ستكون الملفات التي مضى عليها ثلاثون عامًا متاحة للجميع.", "لوك مورو", language="ar"),
            story(3, "دول صغيرة تتفق على صندوق مشترك للعواصف", "أربع عشرة دولة جزرية تجمع تأمينها.", "لوك مورو", 4, language="ar"),
        )),
        Section("الاقتصاد", (
            story(4, "الخبازون يشترون مخبزهم", "واحد وثلاثون عاملًا يتسلمون المطحنة وأربعة متاجر.", "نادية أوبراين", 3, language="ar",
                  image_url=f"{PICTURES}/bakery.png", image_alt="أرغفة تحت مظلة"),
        )),
        Section("العلوم", (
            story(7, "Glass sponges older than the pyramids", "Researchers date a reef at almost nine thousand years.", "Dr. Kemi Adeyemi", 5),
            story(8, "النحل يتعلم العد إلى خمسة", "كان يُظن أن الأربعة حدّه.", "كيمي أدييمي", 2, language="ar"),
        )),
    ),
)  # fmt: skip

ARMENIAN = replace(
    _BLANK,
    language="hy",
    title="Աշխարհը համառոտ",
    publication=Publication("Նավահանգստի սուրհանդակ", "https://courier.example", POSTAL),
    subject="Աշխարհը համառոտ՝ նավահանգստի կամուրջը վերաբացվել է",
    preheader="Երկու քաղաք, մեկ շուկա",
    lead=story(
        1, "Նավահանգստի կամուրջը վերաբացվել է տասնմեկ ամիս անց",
        "Հին պտտվող կամուրջը կրկին շրջվում է, և նրա հետ՝ երեք կղզիների երթևեկությունը։", "Անի Հարությունյան", 3,
        language="hy",
        image_url=f"{PICTURES}/harbour-bridge.png", image_alt="Կամուրջը լուսաբացին",
    ),
    sections=(
        Section("Աշխարհ", (
            story(2, "Երկու քաղաք, մեկ շուկա", "Սահմանի շուկան բացվում է ինը տարվա բանակցություններից հետո։", "Անի Հարությունյան", language="hy"),
            story(3, "Անձրևը վերջ դրեց երաշտին", "140 չոր օրից հետո ջրամբարները նորից լցվում են։", "Անի Հարությունյան", 2, language="hy"),
        )),
        Section("Գիտություն", (
            story(7, "Մեղուները սովորում են հաշվել մինչև հինգը", "Կարծում էին, թե չորսն է նրանց սահմանը։", "Քեմի Ադեյեմի", 2, language="hy"),
        )),
    ),
)  # fmt: skip

EDITIONS = {"english": ENGLISH, "arabic": ARABIC, "armenian": ARMENIAN}
LOOKS = ("front-page", "headlines", "letter")
READER = {
    "name": "Siobhán O’Brien",
    "address": "siobhan.obrien@readers.example",
    "unsubscribe_url": "https://courier.example/unsubscribe/yQFRDWHYvDu15JrdkSUCEyjQZLqMgNrPQGMQy3i19B7B",
    "preferences_url": "https://courier.example/preferences/yQFRDWHYvDu15JrdkSUCEyjQt_TQmtEIvxGBaz6LLJ4b",
}
_ROOT = Path(__file__).parents[2]
RENDERER = Renderer(_ROOT / "templates" / "email")
ART = {path.name: path.read_bytes() for path in (_ROOT / "seeds" / "pictures").glob("*.png")}


def written(content: Content) -> bytes:
    """Return an edition's message for the sample reader."""
    own = replace(OWN, to_name=READER["name"], unsubscribe_url=READER["unsubscribe_url"])
    return compose(RENDERER.render(content), replace(HEADERS, subject=content.subject), own, READER)


def html_of(content: Content) -> str:
    """Return the HTML of an edition that a mail program shows."""
    return str(list(parse(written(content)).iter_parts())[1].get_content())


def compose(rendering: Rendering, headers: Headers, own: ReaderHeaders, values: Mapping[str, str]) -> bytes:
    """Compose one message of a rendering."""
    return bytes(Composition(rendering, headers).compose(own, values))


def list_articles(session: Session, variant_id: int) -> list[VariantArticle]:
    """List a variant's articles in order."""
    query = select(VariantArticle).where(VariantArticle.variant_id == variant_id)
    return list(session.exec(query.order_by(col(VariantArticle.position))))

"""A writer's own words are told from what they quote, in every language of our messages."""

import pytest

from digest.mail.reports.reply_text import read_reply
from digest.mail.reports.reply_words import FIELDS, WROTE
from digest.resources import bundled

OWN = "The bridge was never closed.\n\nI walked over it."
QUOTE = "> Old bridge reopens\n> after nine winters\n"
ATTRIBUTIONS = {
    "en": "On Mon, 23 Nov 2026 at 07:05, The Harbour Courier <news@courier.example> wrote:",
    "en-us": "On Nov 23, 2026, at 7:05 AM, The Harbour Courier wrote:",
    "de": "Am 23.11.2026 um 07:05 schrieb The Harbour Courier:",
    "es": "El lun, 23 nov 2026 a las 7:05, The Harbour Courier (<news@courier.example>) escribió:",
    "fr": "Le lun. 23 nov. 2026 à 07:05, The Harbour Courier <news@courier.example> a écrit :",
    "it": "Il giorno lun 23 nov 2026 alle ore 07:05 The Harbour Courier <news@courier.example> ha scritto:",
    "nl": "Op ma 23 nov 2026 om 07:05 schreef The Harbour Courier <news@courier.example>:",
    "pl": "pon., 23 lis 2026 o 07:05 The Harbour Courier <news@courier.example> napisał(a):",
    "pt": "Em seg., 23 de nov. de 2026 às 07:05, The Harbour Courier <news@courier.example> escreveu:",
    "sv": "Den mån 23 nov. 2026 kl 07:05 skrev The Harbour Courier <news@courier.example>:",
    "ar": "في الاثنين، 23 نوفمبر 2026 في 7:05 ص، كتب The Harbour Courier <news@courier.example>:",
    "hy": "2026-11-23 07:05, The Harbour Courier <news@courier.example> գրել է:",
    "hy but": "2026 թ. նոյեմբերի 23, երկ, 07:05 The Harbour Courier <news@courier.example> գրել է՝",
    "hy dot": "2026 թ. նոյեմբերի 23, երկ, 07:05 The Harbour Courier <news@courier.example>-ը գրել է․",
    "da": "Den man. 23. nov. 2026 kl. 07.05 skrev The Harbour Courier <news@courier.example>:",
    "ru": "пн, 23 нояб. 2026 г. в 07:05, The Harbour Courier <news@courier.example> написал(а):",
    "ja": "2026年11月23日(月) 7:05 The Harbour Courier <news@courier.example>:",
    "zh": "在 2026年11月23日 7:05，The Harbour Courier <news@courier.example>写道：",
    "iso": "2026-11-23 7:05 GMT+01:00 The Harbour Courier <news@courier.example>:",
    "two lines": "On Mon, 23 Nov 2026 at 07:05, The Harbour Courier\n<news@courier.example> wrote:",
    "fi": "ma 23. marrask. 2026 klo 7.05 The Harbour Courier <news@courier.example> kirjoitti:",
    "fi phone": "The Harbour Courier <news@courier.example> kirjoitti 23.11.2026 kello 7.05:",
    "no": "man. 23. nov. 2026 kl. 07:05 skrev The Harbour Courier <news@courier.example>:",
    "cs": "po 23. 11. 2026 v 7:05 odesílatel The Harbour Courier <news@courier.example> napsal:",
    "sk": "po 23. 11. 2026 o 7:05 The Harbour Courier <news@courier.example> napísal(a):",
    "hu": "The Harbour Courier <news@courier.example> ezt írta (időpont: 2026. nov. 23., H, 7:05):",
    "ro": "În lun., 23 nov. 2026 la 07:05, The Harbour Courier <news@courier.example> a scris:",
    "tr": "The Harbour Courier <news@courier.example>, 23 Kas 2026 Pzt, 07:05 tarihinde şunu yazdı:",
    "el": "Στις Δευ 23 Νοε 2026 στις 7:05 π.μ., ο χρήστης The Harbour Courier <news@courier.example> έγραψε:",
    "uk": "пн, 23 лист. 2026 р. о 07:05 The Harbour Courier <news@courier.example> пише:",
    "bg": "На пн, 23.11.2026 г. в 7:05 The Harbour Courier <news@courier.example> написа:",
    "sr": "пон, 23. нов 2026. у 07:05 The Harbour Courier <news@courier.example> је написао/ла:",
    "lv": "pirmd., 2026. g. 23. nov., plkst. 07:05 — lietotājs The Harbour Courier (<news@courier.example>) rakstīja:",
    "et": "Kuupäev E, 23. november 2026 kell 07:05 kirjutas The Harbour Courier <news@courier.example>:",
    "ca": "Missatge de The Harbour Courier <news@courier.example> del dia dl., 23 de nov. 2026 a les 7:05:",
    "eu": "The Harbour Courier (<news@courier.example>) erabiltzaileak hau idatzi du (2026 aza. 23, al. (7:05)):",
    "id": "Pada tanggal Sen, 23 Nov 2026 pukul 07.05 The Harbour Courier <news@courier.example> menulis:",
    "th": "เมื่อ จ. 23 พ.ย. 2026 เวลา 07:05 The Harbour Courier <news@courier.example> เขียนว่า:",
    "he": "בתאריך יום ב׳, 23 בנוב׳ 2026 ב-7:05 מאת The Harbour Courier <news@courier.example>:",
    "fa": "در تاریخ دوشنبه ۲۳ نوامبر ۲۰۲۶،‏ ۷:۰۵ The Harbour Courier <news@courier.example> نوشت:",
    "ko": "2026년 11월 23일 (월) 오전 7:05, The Harbour Courier <news@courier.example>님이 작성:",
    "zh later": "The Harbour Courier <news@courier.example> 于2026年11月23日周一 07:05写道：",
    "pl phone": "Wiadomość napisana przez The Harbour Courier <news@courier.example> w dniu 23.11.2026, o godz. 07:05:",
    "ru page": "Понедельник, 23 ноября 2026, 7:05 +03:00 от The Harbour Courier <news@courier.example>:",
    "a language without words here": "Zzz qq 23 xx 2026 at 07:05 The Harbour Courier <news@courier.example> zzyx:",
    "three lines": "On Mon, Nov 23, 2026 at 7:05 AM The Harbour Courier <\nnews@courier.example>\nwrote:",
}
BLOCKS = {
    "en": "From: The Harbour Courier <news@courier.example>\nSent: Monday, November 23, 2026 7:05 AM\nTo: Anna\nSubject: World",
    "bold": "*From:* The Harbour Courier <news@courier.example>\n*Date:* Monday\n*To:* Anna\n*Subject:* World",
    "de": "Von: The Harbour Courier <news@courier.example>\nGesendet: Montag, 23. November 2026 07:05\nAn: Anna\nBetreff: World",
    "es": "De: The Harbour Courier <news@courier.example>\nEnviado: lunes, 23 de noviembre\nPara: Anna\nAsunto: World",
    "fr": "De : The Harbour Courier <news@courier.example>\nEnvoyé : lundi 23 novembre 2026\nÀ : Anna\nObjet : World",
    "it": "Da: The Harbour Courier <news@courier.example>\nInviato: lunedì 23 novembre\nA: Anna\nOggetto: World",
    "nl": "Van: The Harbour Courier <news@courier.example>\nVerzonden: maandag 23 november\nAan: Anna\nOnderwerp: World",
    "pl": "Od: The Harbour Courier <news@courier.example>\nWysłano: poniedziałek\nDo: Anna\nTemat: World",
    "pt": "De: The Harbour Courier <news@courier.example>\nEnviada em: segunda-feira\nPara: Anna\nAssunto: World",
    "sv": "Från: The Harbour Courier <news@courier.example>\nSkickat: den 23 november\nTill: Anna\nÄmne: World",
    "ar": "من: The Harbour Courier <news@courier.example>\nتاريخ الإرسال: الاثنين\nإلى: Anna\nالموضوع: World",
    "fi": "Lähettäjä: The Harbour Courier <news@courier.example>\nPäivämäärä: 23.11.2026\nVastaanottaja: Anna\nAihe: World",
    "no": "Fra: The Harbour Courier <news@courier.example>\nSendt: mandag 23. november\nTil: Anna\nEmne: World",
    "cs": "Od: The Harbour Courier <news@courier.example>\nOdesláno: pondělí 23. listopadu\nKomu: Anna\nPředmět: World",
    "sk": "Od: The Harbour Courier <news@courier.example>\nOdoslané: pondelok\nKomu: Anna\nPredmet: World",
    "hu": "Feladó: The Harbour Courier <news@courier.example>\nElküldve: hétfő 7:05\nCímzett: Anna\nTárgy: World",
    "ro": "De la: The Harbour Courier <news@courier.example>\nTrimis: luni\nCătre: Anna\nSubiect: World",
    "tr": "Kimden: The Harbour Courier <news@courier.example>\nGönderildi: Pazartesi\nKime: Anna\nKonu: World",
    "el": "Από: The Harbour Courier <news@courier.example>\nΣτάλθηκε: Δευτέρα\nΠρος: Anna\nΘέμα: World",
    "uk": "Від: The Harbour Courier <news@courier.example>\nНадіслано: понеділок\nКому: Anna\nТема: World",
    "bg": "От: The Harbour Courier <news@courier.example>\nИзпратено: понеделник\nДо: Anna\nОтносно: World",
    "hr": "Šalje: The Harbour Courier <news@courier.example>\nPoslano: ponedjeljak\nPrima: Anna\nPredmet: World",
    "lt": "Nuo: The Harbour Courier <news@courier.example>\nIšsiųsta: pirmadienis\nKam: Anna\nTema: World",
    "et": "Saatja: The Harbour Courier <news@courier.example>\nSaadetud: esmaspäev\nAdressaat: Anna\nTeema: World",
    "ca": "De: The Harbour Courier <news@courier.example>\nEnviat: dilluns\nPer a: Anna\nTema: World",
    "hy": "Ումից՝ The Harbour Courier <news@courier.example>\nՈւղարկվել է՝ երկուշաբթի\nՈւմ՝ Anna\nԹեմա՝ World",
    "ja": "差出人: The Harbour Courier <news@courier.example>\n送信日時: 2026年11月23日\n宛先: Anna\n件名: World",
    "ko": "보낸 사람: The Harbour Courier <news@courier.example>\n보낸 날짜: 11월 23일\n받는 사람: Anna\n제목: World",
    "zh-tw": "寄件者: The Harbour Courier <news@courier.example>\n寄件日期: 11月23日\n收件者: Anna\n主旨: World",
    "vi": "Từ: The Harbour Courier <news@courier.example>\nĐã gửi: Thứ Hai\nTới: Anna\nChủ đề: World",
    "rule": "________________________________\nFrom: The Harbour Courier <news@courier.example>\nSent: Monday\nTo: Anna",
    "divider": "-----Original Message-----\nThe Harbour Courier",
    "divider de": "-----Ursprüngliche Nachricht-----\nThe Harbour Courier",
    "divider fr": "-----Message d'origine-----\nThe Harbour Courier",
    "divider sv": "-----Ursprungligt meddelande-----\nThe Harbour Courier",
}
SIGNATURES = ["-- \nAnna Lind\nQuay 3", "Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone",
              "Enviado desde mi iPhone", "Skickat från min iPhone", "Inviato da iPhone", "Verzonden met mijn iPhone",
              "Wysłane z iPhone'a", "Get Outlook for iOS", "-Anna Lind", "__\nAnna Lind", "---\nAnna Lind\nQuay 3", "—\nAnna", "Sent from my TI-85", "(sent from a phone)",
              "<<sent by galaxy>>", "From my iPhone 6", "Sent from my cell, please excuse any typos.", "Sent from Tutanota",
              "_______________\nThis message is confidential and meant for its addressee.",
              "Diese E-Mail wurde von Avast-Antivirussoftware auf Viren geprüft.",
              "Lähetetty iPhonestani", "Sendt fra Outlook for iOS", "Odesláno z iPhonu", "Odoslané z iPhonu", "Elküldve az iPhone-omról",
              "iPhone'umdan gönderildi", "Στάλθηκε από το iPhone μου", "Надіслано з iPhone", "Отправлено с iPhone",
              "Изпратено от моя iPhone", "Poslano s mog iPhonea", "Trimis de pe iPhone-ul meu", "أُرسلت من الـ iPhone", "נשלח מה-iPhone שלי",
              "從我的 iPhone 傳送", "나의 iPhone에서 보냄", "Đã gửi từ iPhone của tôi", "Dikirim dari iPhone saya", "Enviat des del meu iPhone",
              "Verstuurd vanaf mijn iPhone", "Saadetud minu iPhone'ist", "Hämta Outlook för iOS", "Ուղարկված է իմ iPhone-ից"]  # fmt: skip


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_what_stands_before_a_quote_is_the_writers_own(attribution: str) -> None:
    for quote in (QUOTE, "\n" + QUOTE, "\nOld bridge reopens\nafter nine winters\n"):
        read = read_reply(f"{OWN}\n\n{attribution}\n{quote}")

        assert read.own == OWN
        assert "nine winters" in read.quoted


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_what_stands_below_a_quote_and_between_quotes_is_the_writers_own(attribution: str) -> None:
    assert read_reply(f"{attribution}\n\n{QUOTE}\n{OWN}").own == OWN
    between = read_reply(f"{attribution}\n> Nine winters?\n\nTen.\n\n> One bridge?\n\nTwo.\n")
    assert between.own == "Ten.\n\nTwo."


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_of_header_fields_begins_the_quote(block: str) -> None:
    assert read_reply(f"{OWN}\n\n{block}\n\nOld bridge reopens\n").own == OWN


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_is_folded_away(signature: str) -> None:
    read = read_reply(f"{OWN}\n\n{signature}\n\n{ATTRIBUTIONS['en']}\n{QUOTE}")

    assert read.own == OWN
    assert read.signature.split() == signature.split()


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        "On the whole I liked it: the bridge is fine.",
        "On Monday I wrote to you about the bridge.\nNobody answered.",
        "Three things:\n- the bridge\n- the ferry\n- the price",
        "From here to the quay it is a mile.\nTo me it seems longer.",
        "He said:\nnothing at all.",
        "My list:\n\n1. Bridge\n2. Ferry\n\nRegards,\nAnna",
        "Le pont est ouvert depuis 2026, vous avez écrit le contraire.",
        "Am Montag war die Brücke zu: das schrieb niemand.",
    ],
)
def test_ordinary_words_are_no_quote(text: str) -> None:
    assert read_reply(text).own == text


def test_hostile_text_is_read_in_bounded_time_and_lost_nowhere() -> None:
    for line in (
        "On 1 wrote ",
        "> ",
        ">" * 50,
        "a" * 600 + ":",
        "From: a\n",
        "On 1, a <b@c.example>\n",
        "-- \n",
        "---\n" + "a . " * 499 + "a\n",
        "On 1 January at 10:00 you wrote:\n",
        ": ",
    ):
        read = read_reply(line * 4_000)
        assert read.own or read.quoted or read.signature


@pytest.mark.parametrize("between", [" ", "--- ", " - "])
def test_an_attribution_on_the_line_of_the_last_word_is_cut_off(between: str) -> None:
    read = read_reply(
        f"Never closed{between}On Wed, 4 Nov 2026 at 3:59 PM, news@courier.example wrote:\n> Hi"
    )

    assert read.own == "Never closed"
    assert "> Hi" in read.quoted


def test_a_link_that_a_mail_program_wraps_inside_of_a_quote_is_quoted() -> None:
    quote = "> Read it (https://courier.example/articles?\nnumber=17)\n>\n> More\n (https://courier.example/x) >\n> End"
    read = read_reply(f"{OWN}\n\n{ATTRIBUTIONS['en']}\n\n{quote}\n")

    assert read.own == OWN


@pytest.mark.parametrize(
    "text",
    [
        "We met on 23.11.2026 at 7:05: it was cold.\nI walked.",
        "Three things about the bridge:\nIt is old. It was closed in 1999.",
        "Write to <anna@readers.example> and tell her:\nI walked over it.",
        "No: I was there.\nTo: nobody in particular.",
        'On page 3 you wrote:\n"The bridge is shut". It was open.',
        "At the meeting of 2026-11-20 the mayor said:\n\nWe close the bridge at 10:30.\n\nThat is wrong.",
        "On 12 November 2026 at 07:00 the minister wrote:\n\nIt shall never be shut.\n\nIt was.",
        "The bridge was open.\n---\nThe ferry, by the way, was not.",
        "The bridge was open.\n\n—\n\nThe ferry, by the way, was not.\n\nAnna",
        f"The bridge was open.\n\n{'_' * 80}\n\nThe ferry, by the way, was not.\n\nRegards,\nAnna",
        "I was sent from my ship to the quay.\n\nSent from my ship to the quay, I saw that the bridge was open, and went home by it.",
        "I sent it from the harbour, by mail, and the phone rang while I wrote the four pages that you then printed in part.",
    ],
)
def test_what_only_resembles_a_quote_stays_the_writers_own(text: str) -> None:
    read = read_reply(text)

    assert read.own == text
    assert not read.quoted


def test_a_divider_above_a_marked_quote_ends_with_the_quote() -> None:
    text = f"------- Original Message -------\n{ATTRIBUTIONS['en']}\n{QUOTE}\n{OWN}"

    assert read_reply(text).own == OWN


def test_a_line_that_points_at_its_own_words_is_no_quote() -> None:
    assert read_reply("Look here:\n>>> the bridge <<<\nIt is open.").own.count("bridge") == 1


@pytest.mark.parametrize("words", [WROTE, FIELDS])
def test_every_language_of_our_own_messages_has_its_words(words: dict[str, str]) -> None:
    """A reply to a message is written in a mail program of the same language."""
    spoken = {path.stem for path in (bundled("templates") / "languages").glob("*.po")}

    assert len(spoken) > 10
    assert spoken <= {language for row in words for language in row.split(", ")}

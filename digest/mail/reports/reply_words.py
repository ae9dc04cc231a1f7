"""Words of mail programs around quoted text, a row a language: to add one, add its words here.

They are what mail programs were found to write in that language (Gmail, Outlook, Apple Mail, Thunderbird). A word is a part of a
regular expression, so a bracket stands as `\\(`; upper and lower case are the same.
"""

WROTE: dict[str, str] = {
    "en": r"wrote|writes|said|sent|wrote the following",
    "ar": r"كتب(?:ت)?|كَتَب",
    "ca": r"ha escrit|va escriure",
    "cs": r"napsal(?:a)?",
    "da, no, sv": r"skrev",
    "de": r"schrieb|schreibt|geschrieben|schrieb am|schrieb folgendes",
    "el": r"έγραψε",
    "es": r"escribió|escribio",
    "et": r"kirjutas",
    "eu": r"idatzi du",
    "fa": r"گفت|نوشت",
    "fi": r"kirjoitti",
    "fr": r"a écrit|écrit",
    "ga": r"scríobh",
    "gl": r"escribeu",
    "he": r"כתב(?:ה)?",
    "hr, sl": r"napisa(?:o|la)(?: je)?",
    "hu": r"írta",
    "hy": r"գրել է|գրեց",
    "id": r"menulis",
    "is": r"skrifaði",
    "it": r"ha scritto|scrisse",
    "ja": r"さんは書きました|のメッセージ|のメール",
    "ko": r"작성",
    "lt": r"rašė",
    "lv": r"rakstīja",
    "nl": r"schreef|heeft (?:.{0,80} )?(?:geschreven|het volgende geschreven)",
    "pl": r"napisał(?:\(a\)|a)?|pisze",
    "pt": r"escreveu",
    "ro": r"a scris",
    "ru": r"написал(?:а|\(а\))?|пишет",
    "sk": r"napísal(?:a|\(a\))?",
    "sq": r"shkroi",
    "sr, mk": r"написа(?:о|ла|о/ла)?",
    "th": r"เขียนว่า",
    "tr": r"yazdı|şunu yazdı",
    "uk": r"написав|пише",
    "vi": r"đã viết",
    "zh": r"写道|寫道",
}
"""The verb of an attribution line: "On 23 November Anna wrote:"."""

FIELDS: dict[str, str] = {
    "en": r"from|sent|to|cc|date|subject|reply-to",
    "ar": r"من|تاريخ الإرسال|إلى|الموضوع|التاريخ|المرسل|تاريخ",
    "bg": r"от|изпратено|до|относно",
    "ca": r"de|enviat|per a|assumpte",
    "cs": r"od|odesláno|komu|předmět|datum",
    "da, no": r"fra|sendt|til|emne|dato|kopio",
    "de": r"von|gesendet|an|datum|betreff",
    "el": r"από|στάλθηκε|ημερομηνία|προς|θέμα",
    "es": r"de|enviado(?: el)?|para|asunto|fecha",
    "et": r"saatja|saadetud|adressaat|teema",
    "fi": r"lähettäjä|lähetetty|vastaanottaja|aihe|päivämäärä|kopio",
    "fr": r"de|envoyé|à|objet|date",
    "he": r"תאריך|מאת|נושא|אל|נשלח",
    "hr, sl, sr": r"šalje|poslano|prima|za|zadeva",
    "hu": r"feladó|elküldve|címzett|tárgy",
    "hy": r"ում|ումից|թեմա|ամսաթիվ|ուղարկվել է|ուղարկված է",
    "id": r"dari|terkirim|kepada|subjek",
    "it": r"da|inviato|a|oggetto|data",
    "ja": r"発信者|差出人|送信日時|宛先|件名",
    "ko": r"보낸 ?사람|받는 ?사람|제목|보낸 ?날짜",
    "lt": r"nuo|išsiųsta|kam",
    "lv": r"no|nosūtīts|tēma",
    "nl": r"van|verzonden|aan|onderwerp",
    "pl": r"od|wysłano|do|temat",
    "pt": r"de|enviada(?: em)?|para|assunto|data",
    "ro": r"de la|trimis|către|subiect",
    "ru": r"от|от кого|отправлено|кому|тема|дата",
    "sk": r"od|odoslané|komu|predmet",
    "sv": r"från|skickat|till|ämne",
    "tr": r"kimden|gönderildi|gönderilme|kime|konu|tarih",
    "uk": r"від|надіслано|до|тема",
    "vi": r"từ|đã gửi|tới|chủ đề",
    "zh": r"发件人|发送时间|收件人|主题|寄件者|寄件日期|收件者|主旨|日期",
}
"""The names of header fields, as Outlook and others put a block of them above quoted text."""


def any_of(words: dict[str, str]) -> str:
    """Return the alternatives of a regular expression that match any of the words."""
    return "|".join(dict.fromkeys(words.values()))

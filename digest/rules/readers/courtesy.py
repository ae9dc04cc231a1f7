"""What people put around a command that they write by mail: a greeting, a request, the thing that they mean.

A word in another language is added here. Words are compared in lower case.
"""

import re
from collections.abc import Iterable, Iterator


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))


_BEFORE = (
    "please", "pls", "plz", "kindly", "hi", "hello", "could you", "can you", "would you", "i want to",
    "i'd like to", "i would like to", "i wish to", "you can", "bitte", "hallo", "guten tag",
    "hiermit möchte ich", "ich möchte", "ich will", "ich möchte mich", "ich will mich", "möchte mich",
    "mich bitte", "mich", "merci de", "merci", "svp", "veuillez", "s'il vous plaît", "s'il te plaît",
    "je voudrais", "je souhaite", "je veux", "bonjour", "por favor", "hola", "quiero", "quisiera",
    "me gustaría", "per favore", "per cortesia", "vorrei", "voglio", "desidero", "buongiorno", "graag",
    "alstublieft", "alsjeblieft", "a.u.b.", "ik wil", "ik wil me", "ik wil mij", "ik wil graag", "proszę",
    "proszę mnie", "proszę o", "chcę", "chcę się", "quero", "queria", "gostaria de", "olá", "snälla",
    "vänligen", "hej", "jag vill", "var vänlig", "пожалуйста", "прошу", "хочу", "здравствуйте", "من فضلك",
    "رجاء", "الرجاء", "أريد", "խնդրում եմ", "ուզում եմ", "send me", "bitte senden sie mir",
    "schicken sie mir",
)  # fmt: skip
_AFTER = (
    "please", "pls", "plz", "thanks", "thank you", "many thanks", "thx", "now", "me", "danke",
    "vielen dank", "bitte", "merci", "merci beaucoup", "svp", "s'il vous plaît", "s'il te plaît",
    "por favor", "gracias", "muchas gracias", "grazie", "per favore", "dank u", "dank u wel", "dank je",
    "bedankt", "alstublieft", "a.u.b", "aub", "dziękuję", "dzięki", "proszę", "obrigado", "obrigada",
    "tack", "mig", "mich", "спасибо", "пожалуйста", "من فضلك", "شكرا", "շնորհակալություն", "խնդրում եմ",
    "immediately", "sofort", "cordialement", "from this list", "from the list", "from your list",
    "from this mailing list", "from your mailing list", "from the mailing list", "from this newsletter",
    "from the newsletter", "from your newsletter", "from all lists", "from these emails", "vom newsletter",
    "von diesem newsletter", "von der liste", "aus dem verteiler", "den newsletter", "ihren newsletter",
    "de la liste", "de la newsletter", "de cette liste", "de votre liste", "de la lista", "de esta lista",
    "del boletín", "dalla lista", "dalla newsletter", "van de nieuwsbrief", "van de lijst",
    "voor de nieuwsbrief", "z listy", "z newslettera", "da lista", "da newsletter", "från listan",
    "från nyhetsbrevet", "из рассылки", "от рассылки", "с рассылки", "من القائمة", "the newsletter",
    "this newsletter", "uhr", "am", "o'clock", "heures", "horas", "ore",
)  # fmt: skip
_FIRST = re.compile(rf"(?:{_any_of(_BEFORE)})(?=[\s,:!.])[\s,:!.]*")
_LAST = re.compile(rf"[\s,;:!.]+(?:{_any_of(_AFTER)})[\s.!,]*\Z")
_MOST = 4
_GREETING = re.compile(
    r"\W*(?:hi|hello|hey|dear|good (?:morning|day|evening)|hallo|moin|servus|guten (?:tag"
    r"|morgen|abend)|liebe[rs]?"
    r"|sehr geehrte[rs]?|bonjour|bonsoir|ch[eè]re?s?|madame|monsieur|hola|buenos d[ií]as|estimad[oa]s?"
    r"|buongiorno|salve|gentil[ei]|beste|geachte|goedendag|dzień dobry|szanown[aiey]|witam|olá|bom dia"
    r"|prezad[oa]s?|caro|hej|hejsan|здравствуйте|добрый день|уважаем\w{1,3}|مرحبا|السلام عليكم|բարև)"
    r"\b[^.?!:;\d]{0,60}[,!.:]?\s*",
    re.I,
)


def without_courtesy(line: str) -> Iterator[str]:
    """Return what is left of a short line in lower case as requests and thanks are taken off, one by one."""
    for _ in range(_MOST):
        for pattern in (_FIRST, _LAST):
            bare = pattern.sub("", line, count=1)
            if bare and bare != line:
                yield (line := bare)


def is_greeting(line: str) -> bool:
    """Return whether a line is nothing but a greeting: "Dear editors,"."""
    return _GREETING.fullmatch(line) is not None

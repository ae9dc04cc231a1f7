"""Commands that readers send by mail: a word in the subject, the first line or the address, in their
language."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.rules.readers.courtesy import is_greeting, without_courtesy
from digest.safe_text import plain_greek


class MailVerb(StrEnum):
    """What a reader can ask for by mail."""

    SUBSCRIBE = "subscribe"
    CONFIRM = "confirm"
    LEAVE = "leave"
    CADENCE = "cadence"
    TOPICS = "topics"
    PAUSE = "pause"
    RESUME = "resume"
    HOUR = "hour"
    SEND = "send now"
    RECORD = "my data"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class MailCommand:
    """A command: `argument` is a cadence's name, an hour, a list of topics, a period of time, or ""."""

    verb: MailVerb
    argument: str = ""


WORDS: dict[MailVerb, tuple[str, ...]] = {
    MailVerb.SUBSCRIBE: (
        "subscribe", "subscribe me", "sign me up", "join", "melden sie mich an", "mich anmelden",
        "inscrivez-moi", "abonnieren", "anmelden", "suscribir", "suscribirme", "s'abonner", "abonner",
        "abonnez-moi", "iscrivimi", "iscriviti", "abonneren", "aanmelden", "subskrybuj", "zapisz",
        "assinar", "subscrever", "prenumerera", "подписаться", "подпишите меня", "اشتراك", "اشترك",
        "բաժանորդագրվել",
    ),
    MailVerb.CONFIRM: (
        "confirm", "yes", "bestätigen", "ja", "confirmar", "sí", "sì", "si", "confirmer", "oui", "conferma",
        "bevestigen", "potwierdź", "potwierdzam", "tak", "sim", "bekräfta", "подтвердить", "подтверждаю",
        "да", "تأكيد", "نعم", "հաստատել", "այո", "ok",
    ),
    MailVerb.LEAVE: (
        "unsubscribe", "unsubscribe me", "leave", "remove", "remove me", "take me off",
        "take me off this list", "stop", "abmeldung", "melden sie mich ab", "mich abmelden", "ich kündige",
        "kündige ich", "hiermit kündige ich", "kündigung", "désabonnement", "me désabonner",
        "désinscrivez-moi", "me désinscrire", "désinscrire", "denme de baja", "dame de baja",
        "darme de baja", "deme de baja", "desuscribirme", "cancelar mi suscripción", "cancellarmi",
        "cancellatemi", "cancellazione", "disiscrizione", "disiscrivermi", "disiscrivetemi", "afmelding",
        "mij afmelden", "mnie wypisać", "wypisać", "się wypisać", "wypisać się", "rezygnacja",
        "cancelamento", "cancelar inscrição", "me descadastrar", "descadastrar", "avregistrera mig",
        "avregistrering", "отписать меня", "отписка", "меня отписать", "إلغاء اشتراكي", "الغاء الاشتراك",
        "sign off", "signoff", "abmelden", "abbestellen", "kündigen", "darse de baja", "baja",
        "cancelar suscripción", "désabonner", "se désabonner", "désinscription", "désabonnez-moi",
        "annulla iscrizione", "disiscrivimi", "cancellami", "afmelden", "uitschrijven", "opzeggen",
        "wypisz", "rezygnuję", "cancelar", "cancelar assinatura", "anular subscrição", "avregistrera",
        "avsluta", "avprenumerera", "отписаться", "отпишите меня", "отказаться", "إلغاء الاشتراك", "إلغاء",
        "ապաբաժանորդագրվել", "չեղարկել",
    ),
    MailVerb.TOPICS: (
        "topics", "topic", "themen", "thema", "temas", "sujets", "thèmes", "argomenti", "temi",
        "onderwerpen", "tematy", "tópicos", "ämnen", "темы", "тема", "المواضيع", "թեմաներ",
    ),
    MailVerb.PAUSE: (
        "pause", "pausa", "pausieren", "pausar", "suspendre", "sospendi", "pauzeer", "pauzeren",
        "wstrzymaj", "pauza", "pausa för", "пауза", "приостановить", "إيقاف مؤقت", "դադար",
    ),
    MailVerb.RESUME: (
        "resume", "fortsetzen", "weiter", "reanudar", "reprendre", "riprendi", "hervatten", "wznów",
        "retomar", "återuppta", "возобновить", "продолжить", "استئناف", "վերսկսել",
    ),
    MailVerb.HOUR: (
        "hour", "stunde", "uhrzeit", "hora", "heure", "ora", "uur", "godzina", "timme", "klockan", "час",
        "الساعة", "ժամ",
    ),
    MailVerb.SEND: (
        "send now", "send it now", "send me the digest", "jetzt senden", "jetzt schicken", "sofort senden",
        "enviar ahora", "envíame ahora", "envoyer maintenant", "envoyez maintenant", "invia ora",
        "invia adesso", "nu versturen", "nu sturen", "stuur nu", "wyślij teraz", "enviar agora",
        "envie agora", "skicka nu", "отправить сейчас", "прислать сейчас", "أرسل الآن", "إرسال الآن",
        "ուղարկել հիմա",
    ),
    MailVerb.RECORD: (
        "my data", "meine daten", "mis datos", "mes données", "i miei dati", "mijn gegevens", "moje dane",
        "meus dados", "os meus dados", "mina uppgifter", "мои данные", "بياناتي", "իմ տվյալները",
    ),
    MailVerb.HELP: (
        "help", "hilfe", "ayuda", "aide", "aiuto", "hulp", "pomoc", "ajuda", "hjälp", "помощь", "مساعدة",
        "օգնություն", "info",
    ),
}  # fmt: skip
NO: frozenset[str] = frozenset({
    "no", "nein", "non", "nie", "nee", "não", "nao", "nej", "нет", "لا", "ոչ", "no thanks", "no thank you",
    "nein danke", "non merci", "no gracias", "no grazie", "nee bedankt", "não obrigado",
    "nej tack", "nie dziękuję",
})  # fmt: skip
CADENCES: dict[str, tuple[str, ...]] = {
    "daily": (
        "daily", "täglich", "diario", "cada día", "quotidien", "chaque jour", "ogni giorno", "quotidiano",
        "giornaliero", "dagelijks", "codziennie", "diário", "todos os dias", "dagligen", "ежедневно",
        "يوميًا", "يوميا", "ամեն օր", "օրական",
    ),
    "weekly": (
        "weekly", "wöchentlich", "semanal", "cada semana", "hebdomadaire", "chaque semaine", "settimanale",
        "ogni settimana", "wekelijks", "todas as semanas", "co tydzień", "tygodniowo", "ամեն շաբաթ",
        "veckovis", "varje vecka", "еженедельно", "أسبوعيًا", "أسبوعيا", "շաբաթական",
    ),
    "monthly": (
        "monthly", "monatlich", "mensual", "mensuel", "mensile", "cada mes", "chaque mois", "ogni mese",
        "todos os meses", "maandelijks", "co miesiąc", "mensal", "ամեն ամիս", "månadsvis", "varje månad",
        "ежемесячно", "شهريًا", "شهريا", "ամսական",
    ),
}  # fmt: skip
_ANSWER = re.compile(r"^\s*((re|aw|sv|vs|tr|rv|antw|r|odp|fwd?|رد)\s*:\s*)+", re.I)
_KEYED = {word: verb for verb, words in WORDS.items() for word in words}
_TAKES_ARGUMENT = frozenset(
    {MailVerb.TOPICS, MailVerb.PAUSE, MailVerb.HOUR, MailVerb.SUBSCRIBE, MailVerb.LEAVE}
)
_LONGEST = 120
_MOST_LINES = 40
_FOR = re.compile(r"\A(?:for|für|de|por|per|på|na|на|voor|um|durante|pendant|pour)\s+")
_SPAN = re.compile(
    r"(\d{1,3})\s*(d(?:ays?)?|tage?n?|d[ií]as?|jours?|giorn[oi]|dag(?:en|ar)?|dni|dzień|dias?|يوم|أيام|օր"
    r"|д(?:ень|ня|ней)"
    r"|w(?:eeks?)?|wochen?|semanas?|semaines?|settiman[ae]|weken|week|tygodni\w*|tydzień|veck(?:a|or)|أسبوع|أسابيع|շաբաթ"
    r"|недел[яюиь]"
    r"|m(?:onths?)?|monate?n?|mes(?:es)?|mois|mes[ei]|maand(?:en)?|miesi\w+|m[êe]s(?:es)?|månad(?:er)?|شهر|أشهر|ամիս|месяц\w*)",
    re.I,
)
_SPAN_FIRST = re.compile(rf"(?P<span>{_SPAN.pattern})\s+(?P<verb>\S.*)", re.I)


def find_command(
    subject: str,
    text: str,
    extension: str,
    cadences: tuple[str, ...],
    digests: Collection[str] | None = None,
) -> MailCommand | None:
    """Find the command of a message: in its address ("news+leave@"), its subject, or its first line.

    A command and its argument are the whole line, apart from courtesy; a letter that only begins with such a
    word is not a command. `text` is the writer's own; a greeting above the command is passed over. What is
    named to subscribe to or to leave is one of `digests`, if these are given.
    """
    answered = bool(_ANSWER.match(subject))
    lines = [line for line in text.split("\n")[:_MOST_LINES] if line.strip()]
    own = lines[: 2 if lines and is_greeting(lines[0]) else 1]
    texts = [extension.replace("-", " "), *([] if answered else [subject]), *own]
    for one in texts:
        found = read_command(one, cadences, digests)
        if found is not None:
            return found
    return None


def read_command(
    text: str, cadences: tuple[str, ...], digests: Collection[str] | None = None
) -> MailCommand | None:
    """Parse one line as a command, in any of our languages; None if it is none."""
    line = " ".join(_ANSWER.sub("", text).split()).strip(" .!?\"'*<>").casefold()
    if not line or len(line) > _LONGEST:
        return None
    found = _read_bare(line, cadences, digests)
    for bare in () if found is not None else without_courtesy(line):
        found = _read_bare(bare, cadences, digests)
        if found is not None:
            # "yes please" and "ok thanks" answer other questions as often
            return None if found.verb is MailVerb.CONFIRM else found
    return found


def _read_bare(line: str, cadences: tuple[str, ...], digests: Collection[str] | None) -> MailCommand | None:
    if line in _KEYED:
        return MailCommand(_KEYED[line])
    cadence = _cadence(line, cadences)
    if cadence:
        return MailCommand(MailVerb.CADENCE, cadence)
    for length in (3, 2, 1):
        words = line.split(" ")
        verb = _KEYED.get(" ".join(words[:length]).rstrip(":"))
        argument = " ".join(words[length:]).lstrip(": ")
        if verb in _TAKES_ARGUMENT and argument and _fits(verb, argument, digests):
            return MailCommand(verb, argument)
    span = _SPAN_FIRST.fullmatch(line)  # "2 Wochen pausieren"
    if span is not None and _KEYED.get(span["verb"]) is MailVerb.PAUSE:
        return MailCommand(MailVerb.PAUSE, span["span"])
    return None


def read_consent(line: str) -> bool | None:
    """Parse a line as yes or no, in any of our languages; None if it is neither."""
    words = " ".join(line.replace(",", " ").split()).strip(" .!?\"'*<>").casefold()
    if words in NO:
        return False
    return True if words in WORDS[MailVerb.CONFIRM] else None


def read_topics(argument: str) -> tuple[str, ...]:
    """Parse "world, culture" as topics' keys."""
    return tuple(
        dict.fromkeys(part for part in re.split(r"[,;\s،]+", plain_greek(argument.casefold())) if part)
    )


def read_pause(argument: str, now: datetime) -> datetime | None:
    """Parse "2 weeks" as the moment when a pause ends; None for a pause without an end."""
    match = _SPAN.match(_FOR.sub("", argument).strip())
    if match is None:
        return None
    unit = match[2].casefold()
    days = 7 if unit.startswith(("w", "sem", "sett", "ty", "veck", "нед", "أسب", "أسا", "շ")) else 0
    days = days or (30 if unit.startswith(("m", "мес", "شهر", "أشهر", "ամ")) else 1)
    return now + timedelta(days=min(int(match[1]) * days, 365))


def _cadence(line: str, cadences: tuple[str, ...]) -> str:
    if line in cadences:
        return line
    return next((name for name, words in CADENCES.items() if line in words and name in cadences), "")


def _fits(verb: MailVerb | None, argument: str, digests: Collection[str] | None) -> bool:
    """Return whether this is an argument, and not the rest of a sentence."""
    if verb is MailVerb.HOUR:
        return argument.removesuffix(":00").removesuffix("h").strip().isdecimal()
    if verb is MailVerb.PAUSE:
        return _SPAN.fullmatch(_FOR.sub("", argument).strip()) is not None
    if verb is MailVerb.TOPICS:
        return len(argument.split()) <= 12
    if digests is not None:
        return argument in digests
    return len(argument.split()) <= 2

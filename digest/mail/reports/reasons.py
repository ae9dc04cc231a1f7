"""Why a server refused a message: by its words, or by its enhanced code (RFC 3463) if they say nothing.

The order matters: a server that names a block list often calls the mailbox "unavailable" in the same line.
"""

import re

from digest.mail.reports.report import Reason
from digest.rules.delivery.bounce_score import HARD_REASONS, SENDER_REASONS

_WORDS: tuple[tuple[Reason, str], ...] = (
    (Reason.GREYLISTED, r"gr[ae]y-?list|please try again later \(\$?greet"),
    (
        Reason.RATE_LIMITED,
        r"rate.?limit|frequency limited|too many ((invalid|bad|unknown) )?(messages|connections|recipients|emails|mails|concurrent)"
        r"(?! (\S+ )?(on|in) (the|this|your|his|her)? ?(\S+ )?(server|mailbox|inbox|folder))|throttl"
        r"|unusual rate|too many errors from|exceed\w* (the )?(maximum|max|allowed|hourly|daily|rate|limit of) ?(number|rate|sending)?"
        r" of (messages|connections|mails|emails)|receiving mail (at a rate|too quickly)|deferred due to volume"
        r"|(excessive|unexpected) volume|\[TSS?\d\d\]|slow down|try again (more )?slow",
    ),
    (
        Reason.POLICY,
        r"envelope blocked|delivery restriction check|notauthenticatedforgroup|\bresolver\.rst\b",
    ),  # a closed group's
    (
        Reason.AUTHENTICATION,
        r"\bdmarc\b|\bdkim\b|\bspf\b|sender policy framework|unauthenticated (e-?mail|message|mail)"
        r"|not (pass|authenticated|be authenticated)|authentication[- ](check|results?|requirement|level)"
        r"|sender id\b|domain does not meet the required authentication",
    ),
    (
        Reason.REPUTATION,
        r"block ?list|black ?list|deny ?list|spamhaus|spamcop|barracuda\w* ?(reputation|central)?|\b[dr]n?s?bls?\b"
        r"|\brbls?\b|\bsorbs\b|\buceprotect\b|proofpoint.*(dynamic|blocked)|poor reputation|bad reputation"
        r"|low reputation|reputation (of|too|is|score)|sender ?(base|score)|blocked using|(is|was|are|been|currently|ip|host) listed (by|in|at|on) \S+"
        r"|(client|sending|your|source|remote)? ?(ip|host|address|network|server|domain)\S*( \S+)? "
        r"(is |has been |was |have been )?(temporarily |permanently |currently )?(blocked|banned|listed|blacklisted)"
        r"|banned (sending|ip)|part of their network is on our|\(S31[45]\d\)|reverse (dns|lookup|hostname|ip)|\bptr\b|\brdns\b"
        r"|no (valid )?(ptr|reverse)|cannot find your (reverse )?hostname|dynamic (ip|address|pool)|dial-?up"
        r"|residential|generic (reverse|hostname)|bad helo|helo (command )?rejected|invalid helo"
        r"|fix reverse|access denied[,.]? (bad|poor)|banned|blocked (?!(for|due to|because of) (\S+ )?inactivity)(by|for|because|due|from|ip|-)"
        r"|mail from \S+ (refused|rejected) (by|due)|connection (refused|rejected) (by|due to) (policy|reputation)"
        r"|\bxbl\b|\bpbl\b|\bsbl\b|(?<![?&])\bip ?[:=] ?\d{1,3}\.\d|requires confirmation",
    ),
    (
        Reason.CONTENT,
        r"spam|\b(ur|sur)i?bl\b|mass.?mail|\bvirus|malware|phish|content (filter|reject|restrict|policy|block|denied)|message content"
        r"|unsolicited|\bube\b|\buce\b|\bbulk (mail|e-?mail)|junk|(attachment|executable|file (type|ext)|extension)"
        r"\S* \S*( \S+)? ?(not (allowed|permitted)|blocked|prohibited|forbidden|rejected)|infected|bayes"
        r"|suspicious|objectionable|banned (content|file|word)|blocked url|url (listed|block)|header check"
        r"|message (was |has been )?(rejected|blocked|refused) (by|due to|because of) (content|filter)"
        r"|invalid (message )?format|5322|2822|duplicate header|missing (from|date|message-id) header"
        r"|without (a |an )?(to|from|date|subject|message-id)\b",
    ),
    (
        Reason.MAILBOX_FULL,
        r"over ?quota|quota (exceed|full|violation|limit|reach|is full|used)|\bquota\b|mailbox\S* \S*( \S+)? ?full"
        r"|mail ?(box|drop|folder) (is |has been |was )?(temporarily )?(over ?full|full|too large|exceed)"
        r"|(account|inbox|mail ?box|user|disk|storage|disc)\S*( \S+)? (is |are )?full|exceed\w* (\S+ ){0,3}"
        r"(storage|mailbox|allotted|allocated|disk|space|quota)|(insufficient|not enough|out of|no) (\S+ )?"
        r"(disk|disc|storage|space|room)|mailbox (size )?(limit|exceed)|too (large|many messages) for (the )?mail"
        r"|(storage|space) (limit|quota)|mailbox (has )?exceed|out of storage|mail storage|allowed size"
        r"|number of messages in recipient|bo[iî]te (\S+ ){0,4}(pleine|satur)|postfach (\S+ ){0,4}(voll|[üu]berf)"
        r"|buz[óo]n (\S+ ){0,4}llen[oa]|mailbox (\S+ )?vol\b|(inkorg|postboks|postkasse|innboks)\w* (\S+ ){0,3}(full|fuld)"
        r"|caixa (\S+ ){0,4}cheia|casella (\S+ ){0,4}piena|(ящик|скринька) (\S+ ){0,3}(переп[оу]вн|переполн|заполн)"
        r"|skrzynk\w+ (\S+ ){0,4}(pe[łl]na|przepe[łl]n|zape[łl]n)|schr[áa]nk\w+ (\S+ ){0,3}pln[áa]|kutusu (\S+ ){0,3}dolu"
        r"|postilaatikko (\S+ ){0,3}t[äa]ynn|(메일함|편지함|용량)\S*( \S+){0,3} ?(가득|초과|부족)|容量|満杯|いっぱい|已满|已滿|空间不足|超出|"
        r"postvak (\S+ ){0,3}vol\b|postafi[óo]k\w* (\S+ ){0,3}(megtelt|tele)|c[ăa]su[țţt]\w* (\S+ ){0,4}plin[ăa]"
        r"|γραμματοκιβ[ώω]τι\w* (\S+ ){0,4}(γεμάτο|πλήρες)|תיבת (\S+ ){0,4}מלאה|صندوق (\S+ ){0,4}ممتلئ|full mailbox|exceeding receiver limit"
        r"|(not|n't|ikke|inte) (have )?(enough|sufficient) (\S+ )?(disk|disc|storage|space|room)"
        r"|too many (messages|mails|e-?mails) (\S+ )?(on|in) |zu ?viele (mails|nachrichten) auf",
    ),
    (Reason.POLICY, r"not accepting (mail|messages) (from|with)"),  # a reader's own block of a sender
    (
        Reason.DISABLED,
        r"(account|mailbox|user|address|recipient|e?-?mail|customer|box|login)\S*( \S+){0,3}"
        r" (has been |is |was |are |currently |been |temporarily |permanently )*"
        r"(disabled|inactive|suspended|deactivated|de-activated|closed|locked|expired|terminated|blocked for"
        r"|not active|not enabled|frozen|dormant|discontinued|cancell?ed|on hold|retired)"
        r"|(disabled|inactive|suspended|deactivated|expired|discontinued|closed) "
        r"(account|mailbox|user|address|recipient|e?-?mail)|not (currently )?accepting (mail|messages|any)"
        r"|(does not|doesn't|no longer) accept|extended inactivity|unused account"
        r"|blocked due to (\S+ )?inactivity"
        r"|(postfach|konto|mailadresse|benutzer).{0,60}(deaktiviert|gesperrt|stillgelegt|inaktiv)"
        r"|(compte|bo[iî]te|adresse).{0,40}(d[ée]sactiv|suspendu|ferm[ée]|bloqu[ée]|inacti[fv])"
        r"|(cuenta|buz[óo]n|direcci[óo]n).{0,40}(deshabilitad|desactivad|suspendid|bloquead|cancelad|inactiv)"
        r"|(casella|account|indirizzo).{0,40}(disabilitat|disattivat|sospes|bloccat|inattiv)"
        r"|(conta|caixa).{0,40}(desativad|suspens|bloquead|inativ|cancelad)"
        r"|(konto|skrzynk\w*).{0,40}(zablokowan|nieaktywn|wy[łl][ąa]czon|zawieszon|dezaktyw)"
        r"|(account|postvak|mailbox).{0,40}(uitgeschakeld|geblokkeerd|opgeheven|inactief|gedeactiveerd)"
        r"|(konto\w*|inkorg\w*|brevl[åa]d\w*).{0,30}(inaktiverat|avst[äa]ngt|sp[äa]rrat|avslutat)"
        r"|(ящик|аккаунт|уч[её]тн\w+ запис\w+).{0,40}(заблокирован|отключ|удал[её]н|неактив)"
        r"|hesa[bp]\w*.{0,40}(devre d[ıi][şs][ıi]|ask[ıi]ya|kapat[ıi]l)"
        r"|(schr[áa]nk\w*|[úu][čc]et).{0,30}(zablok|deaktiv|zru[šs]en)|fi[óo]k\w*.{0,30}(letilt|felf[üu]ggeszt|inakt[íi]v)"
        r"|禁用|停用|冻结|凍結|注销|註銷|휴면|정지된|탈퇴|(アカウント|メールボックス).{0,20}(停止|無効)"
        r"|not an active (account|mailbox|user|address|recipient)|mailbox disabled|not accepting messages|acct (disabled|suspended)",
    ),
    (
        Reason.MOVED,
        r"has moved|user not local|no longer (with|at|works?|employed|on (this )?server|in use)"
        r"|address (has )?changed|new (e-?mail )?address( is|:)|please (use|try) <?\S+@|recipient (has )?moved"
        r"|left (the )?(company|organi[sz]ation)",
    ),
    (
        Reason.TOO_BIG,
        r"(message|mail|e-?mail|size|file|body|attachment)\S*( \S+){0,4} (too (big|large|long)|exceed\w*"
        r"( \S+){0,4} (limit|size|maximum|length))|too (big|large)\b|size limit|maximum (message )?size"
        r"|exceed\w* (the )?(maximum|max|fixed|allowed)( \S+)? size|max(imum)?.?message.?size",
    ),
    (
        Reason.UNKNOWN_HOST,
        r"(unknown|invalid|no such|nonexistent|non-existent|bad) (host|domain|destination (host|domain|system))\b"
        r"|(host|domain|hostname|server|mx)( name)? (\S+ )?(not found|unknown|lookup (failure|failed|did not)"
        r"|does ?n.t exist|does not exist|could not be found|is unknown|non ?existent|invalid|not exist)"
        r"|couldn'?t find any host|name or service not known|name server:? .*(not found|no (data|mx))"
        r"|malformed (or unexpected )?name ?server reply|nxdomain|(domain|domaine|dominio|dom[ií]nio|domena|domän|домен) (\S+ ){0,3}(nicht gefunden|introuvable|inexistente|nie istnieje"
        r"|no (existe|encontrado)|non (esiste|trovato)|n[ãa]o (existe|encontrado)|не (найден|существует))|no (valid )?mx|no mail ?(host|server|exchanger)|unrout(e)?able (mail )?(domain|address)"
        r"|(all relevant|no) mx records?|illegal host|no route to host name|domain name not found|dns (error|fail"
        r"|loop|lookup)|unresolvable|not (a )?(valid|existing) (domain|host)|no such host|domain .{0,40} (was )?not"
        r" found|can'?t (find|resolve)( \S+)? (host|domain|address)|nullmx|null mx|no dns|mail server for .{0,60} not"
        r" (found|exist)|host or domain name",
    ),
    (
        Reason.RELAYING,
        r"relay(ing)?( \S+){0,2} (denied|not (permitted|allowed)|prohibited|refused|rejected|disabled)"
        r"|(unable|not (allowed|permitted)|cannot|won'?t|don'?t|deny|do not|no) (to )?relay|relay access"
        r"|isn'?t in my list of allowed rcpthosts|not (a )?gateway|open relay|rcpthosts|that domain isn'?t in"
        r"|not local host|\bas a relay\b|we do not relay|not hosted (here|at|on)|domain not (here|served|hosted|local)",
    ),
    (
        Reason.UNKNOWN_USER,
        r"user[- ]?(name)? ?(is )?(unknown|not found|not known|invalid|doesn'?t|does not|not exist|not listed|is not"
        r"|isn'?t)|(unknown|no such|invalid|bad|nonexistent|non-existent|incorrect|wrong|illegal|undeliverable"
        r"|unrecogni[sz]ed|not a known|unauthori[sz]ed|wrong or no longer valid) (virtual |local |final delivery )?"
        r"(user|recipient|rcpt|mailbox|account|address|addressee|person|alias|destination mailbox|username|userid|login"
        r"|e-?mail address|rcpt|name|id|object|local|customer|here|handle|in)|unknown (to|in|or)\b"
        r"|\b(user|rcpt)\b( \S+){0,3} (not found|unknown|does ?n.?t exist|does not exist|not exist)"
        r"|(recipient|mailbox|address|account|alias|addressee|e-?mail|person|name|utilisateur)\S*( \S+){0,6}"
        r" (not found|unknown|does ?n.?t exist|does not exist|not exist|invalid|unavailable|couldn'?t be found"
        r"|could not be found|was not found|wasn'?t found|not known|not recogni[sz]ed|isn'?t valid|not valid"
        r"|not listed|no longer valid|do(es)? not exist|is no longer|inconnu|was wrong)"
        r"|(recipient|mailbox|address|account|alias|addressee|utilisateur)\S*( \S+){0,6} rejected|not unique|ambiguous"
        r"|recip(ient)?notfound|notfound|not listed in|no (\S+ )?mailbox|no (such|valid) (user|recipient)s?"
        r"|not our customer|no account|(doesn'?t|does not) have an? (\S+ )?account|not (a|an|our) (valid |known )?"
        r"(user|mailbox|recipient|member|subscriber|customer|account)|there is no (user|one|such|account|mailbox)"
        r"|no one|nobody|here by that name|\bvrfy\b|address (rejected|error|unknown)|recipient (rejected|refused"
        r"|ok but)|invalid address|unknown\b|not known|no address|verify( your)? (the )?(e-?mail )?address"
        r"|(could not|couldn'?t|unable to) (find|locate) (the )?(user|recipient|mailbox)|illegal alias|user reject"
        r"|n'existe pas|existe pas|inconnu|unbekannt|existiert nicht|no existe|desconocido|n[ãa]o existe"
        r"|inexistente|sconosciut|non esiste|ok[äa]nd|finns inte|onbekend|bestaat niet|ukendt|findes ikke|ukjent"
        r"|finnes ikke|tuntematon|nieznany|nie istnieje|не существует|неизвестн|не найден|нет такого|не знайден|не існує|"
        r"nicht gefunden|introuvable|no (se )?(ha )?encontrad|n[ãa]o (foi )?encontrad|non trovat|hittades inte|ikke funnet|"
        r"nie znaleziono|niet gevonden|nenalezen|bulunamad|존재하지 않|없는 (사용자|계정|메일)|該当する|存在しません|見つかりません"
        r"|不存在|存在しない|nepostoj|neexistuje|nem létez|bilinmeyen|لا يوجد|غير موجود|لا وجود|לא קיים|לא נמצא|desconhecid|inexistent\b|necunoscut"
        r"|nincs ilyen|ismeretlen|nezn[áa]m|ei l[öo]ydy|δεν υπάρχει|άγνωστ|宛先不明|ユーザー(が)?不明|không tồn tại|ne postoji"
        r"|nepoznat|nerasta|neegzistuoja|nav atrast|ei leitud|tidak (ditemukan|ada|dikenal)|ไม่พบ"
        r"|nicht .{0,40}verzeichnis|figure pas dans|no (aparece|figura) en|non (è )?(elencat|presente)",
    ),
    (
        Reason.LOOP,
        r"mail (is )?loop|loop(s)? back|loop(ing)?( \S+)? (detected|found|count)|message looping|too many (hops|"
        r"received)|hop count|forwarding loop|routing loop|loop detected|\blooping\b",
    ),
    (
        Reason.EXPIRED,
        r"retry (time|timeout)( not reached| exceeded)?|delivery (time|attempts?) ?(expired|exceeded|out)|message "
        r"expired|queue (too long|time|life)|too long in (the )?queue|(giving|gave|given) up|not (yet )?been delivered "
        r"(after|within|in)|in the queue (too long|for)|time ?limit|retries (exceeded|failed)|could not be delivered "
        r"(for|within|after|in) (\S+ )?(\d+|\w+) ?(hours?|days?|minutes)|been (in )?queued? (for )?(too|\d+)|expired"
        r"|maximum (retry|number of (retries|attempts))|failed \d+ attempts|for the last \d+|undelivered after",
    ),
    (
        Reason.NETWORK,
        r"connection (was |has been )?(refused|timed ?out|reset|lost|closed|dropped|failed|died|broken)|timed? ?out"
        r"|network (is )?(unreachable|error)|no route to host|(host|server|destination)( \S+)? (is )?(unreachable"
        r"|not respond|down|did not respond|not reachable)|not (be )?(responding|reachable)|(can'?t|cannot|could not"
        r"|couldn'?t|unable to|failed to|able to) (open |establish |make )?(a |an )?(smtp )?(connect|reach|contact)"
        r"|lost connection|no answer|tls|ssl|handshake|certificate|unreachable|dns temp|temporar\w+ (dns|lookup)"
        r"|connect(ion)? (error|fail)|conversation with|while talking|no response|did not respond|host not reach",
    ),
    (
        Reason.POLICY,
        r"policy|policies|access (denied|is denied)|(not|n't) (allowed|permitted|authori[sz]ed|have permission)"
        r"|permission|prohibited|administrative|restricted|sender (address )?(rejected|denied|refused|blocked|invalid"
        r"|verify|is invalid)|(rejected|refused|blocked|declined|denied|disallowed) (by|for)|recipient limit"
        r"|closed list|non-?member|only (accepts|members)|private|forbidden|restriction|mail (rejected|refused)"
        r"|message (rejected|refused|denied|blocked)|refused( to accept)? (mail|message)|sender (is )?(un)?verif"
        r"|transaction failed|moderat|delivery not authori[sz]ed|rejected",
    ),
    (
        Reason.SYSTEM,
        r"(system|server|internal|local|configuration|temporary|software|database|i/o|disk|lookup|delivery|mail"
        r"|unexpected|service|resource)s? (\S+ )?(error|problem|fail\w*|not available|unavailable|trouble)"
        r"|misconfigur|disk full|can'?t create|cannot (open|create|write|lock|append)|temporarily (unavailable|out of)"
        r"|insufficient system|service not available|try (again )?later|pipe to|command (output|died|time)|exit status"
        r"|out of memory|unable to (lock|create|open|write)|maintenance|overload|too busy",
    ),
)
_COMPILED = tuple((reason, re.compile(pattern, re.I)) for reason, pattern in _WORDS)

_BY_STATUS = {
    "1.0": Reason.UNKNOWN_USER, "1.1": Reason.UNKNOWN_USER, "1.2": Reason.UNKNOWN_HOST, "1.3": Reason.UNKNOWN_USER,
    "1.4": Reason.UNKNOWN_USER, "1.6": Reason.MOVED, "1.7": Reason.POLICY, "1.8": Reason.POLICY,
    "1.10": Reason.UNKNOWN_HOST, "2.0": Reason.UNDETERMINED, "2.1": Reason.DISABLED, "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.TOO_BIG, "2.4": Reason.SYSTEM, "3.0": Reason.SYSTEM, "3.1": Reason.SYSTEM,
    "3.2": Reason.SYSTEM, "3.3": Reason.SYSTEM, "3.4": Reason.TOO_BIG, "3.5": Reason.SYSTEM,
    "4.0": Reason.NETWORK, "4.1": Reason.NETWORK, "4.2": Reason.NETWORK, "4.3": Reason.NETWORK,
    "4.4": Reason.UNKNOWN_HOST, "4.5": Reason.SYSTEM, "4.6": Reason.LOOP, "4.7": Reason.EXPIRED,
    "5.0": Reason.UNDETERMINED, "6.0": Reason.CONTENT, "6.1": Reason.CONTENT, "6.3": Reason.CONTENT,
    "6.7": Reason.CONTENT, "7.0": Reason.POLICY, "7.1": Reason.POLICY, "7.2": Reason.POLICY, "7.7": Reason.CONTENT,
    "7.20": Reason.AUTHENTICATION, "7.21": Reason.AUTHENTICATION, "7.22": Reason.AUTHENTICATION,
    "7.23": Reason.AUTHENTICATION, "7.24": Reason.AUTHENTICATION, "7.25": Reason.REPUTATION,
    "7.26": Reason.AUTHENTICATION, "7.27": Reason.AUTHENTICATION, "7.28": Reason.RATE_LIMITED,
    "7.30": Reason.AUTHENTICATION, "7.509": Reason.AUTHENTICATION, "7.515": Reason.AUTHENTICATION,
    "7.606": Reason.REPUTATION, "7.708": Reason.REPUTATION, "7.511": Reason.REPUTATION,
}  # fmt: skip
_TELLING = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "2.2", "3.4", "4.6", "4.7", "4.4"})
"""Codes that servers use for their defined meaning; others occur with any words."""

_MOST = 4_000
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]{1,128}@[\w-]+(?:\.[\w-]+)*")
_NAMED_HOST = re.compile(r"\bhost \S+?(?=\[[\da-fA-F.:]+\] ?(?:said|refused)|\s+said\b)", re.I)
_HYPHENED = re.compile(r"\b(mail)[- ](box)\b", re.I)


def find_reason(words: str, status: str = "") -> Reason:
    """Return why a server refused, from its words and its enhanced code."""
    words = _plain(words[:_MOST])
    subject = status[2:] if status[1:2] == "." else ""
    if subject == "4.1" and re.search(r"recipient address rejected: access denied", words, re.I):
        return Reason.UNKNOWN_USER  # how Exchange Online refuses an address that is not in its directory
    if subject == "1.10" and re.search(r"recip(ient)?notfound", words, re.I):
        return Reason.UNKNOWN_USER  # its code for the same; by RFC 7505 it means a host that takes no mail
    coded = _BY_STATUS.get(subject, Reason.UNDETERMINED)
    if subject.startswith("7.") and len(subject) > 3 and coded is not Reason.UNDETERMINED:
        return coded
    said = next((reason for reason, pattern in _COMPILED if pattern.search(words)), Reason.UNDETERMINED)
    if said is Reason.UNDETERMINED or (
        subject in _TELLING and said not in SENDER_REASONS and coded not in (said,)
    ):
        return _reconcile(said, coded)
    return said


def _reconcile(said: Reason, coded: Reason) -> Reason:
    """Choose between words and a meaningful code: words about a full, closed or moved mailbox win."""
    if coded is Reason.UNDETERMINED:
        return said
    specific = (Reason.MAILBOX_FULL, Reason.DISABLED, Reason.MOVED, Reason.UNKNOWN_HOST)
    return said if said in specific and coded in HARD_REASONS | {Reason.EXPIRED} else coded


def _plain(words: str) -> str:
    """Remove what is no word of the server's: addresses, its own host's name, codes written with underscores.

    The mailbox "spam@" or a host named after its filter says nothing about the reason.
    """
    words = _NAMED_HOST.sub("host", _ADDRESS.sub("a@a", words)).replace("_", " ")
    return _HYPHENED.sub(r"\1\2", words)

"""Boilerplate that sites put around an article, by its meaning, in the languages of the world's papers."""

# ruff: noqa: E501 - one language a line

import re
from collections.abc import Iterable


def _whole(lines: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(lines), re.I)


# After these an article never continues.
ENDS = _whole((
    r"(?:leave|write|post|add|submit|make) (?:a|your) (?:reply|comment)s?.{0,40}|cancel reply|reply to this post",
    r"(?:\d+ )?(?:comments?|replies|responses)(?: \(\d+\))?|\d+ (?:thoughts?|replies|responses|comments?) (?:on|to) .{1,150}",
    r"(?:join|start) the (?:conversation|discussion).{0,30}|(?:view|show|load|read)(?: all)?(?: \d+)?(?: more)? comments.{0,20}",
    r"comments (?:are|have been) (?:closed|disabled|turned off).{0,60}|your email address will not be published.{0,80}",
    r"a version of this (?:article|story|piece) .{0,250}|was this (?:page|article|story) (?:helpful|useful).{0,20}|about the (?:author|writer|reporter)s?|about (?:us|this (?:site|website))|(?:post|article|story) navigation",
    r"(?:previous|next|older|newer) (?:article|post|story)s?\b.{0,120}|(?:view|see) all posts(?: by .{1,60})?",
    r"all rights reserved\b.{0,120}|(?:reproduction in whole|no part of this|unauthori[sz]ed (?:use|reproduction)|may not be (?:reproduced|republished)).{0,160}|(?:copyright|©|\(c\)|&copy;).{0,160}|(?:terms|privacy|cookie)s?(?: (?:of (?:use|service)|policy|notice|settings|preferences))",
    r"(?:we|this (?:web)?site) uses? cookies\b.{0,300}|powered by \w.{0,40}|back to (?:the )?top|footer",
    r"laisser un (?:commentaire|message)|laissez(?:-nous)? un commentaire|(?:ajouter|poster|écrire) un commentaire|annuler la réponse|votre adresse e-?mail ne sera pas publiée.{0,80}",
    r"(?:\d+ )?commentaires?(?: \(\d+\))?|(?:à propos|au sujet) de l['’]auteur.{0,40}|tous droits réservés.{0,80}|article (?:précédent|suivant)\b.{0,120}|mentions légales",
    r"(?:schreiben sie|hinterlasse(?:n sie)?|schreibe?) (?:einen?|ihren) (?:kommentar|antwort).{0,30}|(?:einen? )?(?:kommentar|antwort) (?:schreiben|verfassen|hinterlassen|abgeben)|(?:\d+ )?(?:leser)?kommentare?(?: \(\d+\))?|antworten abbrechen|antwort abbrechen",
    r"(?:deine|ihre) e-?mail-adresse wird nicht veröffentlicht.{0,90}|über (?:den autor|die autorin|die autoren)|alle rechte vorbehalten.{0,80}|(?:vorheriger|nächster) (?:artikel|beitrag)\b.{0,120}|impressum|datenschutz(?:erklärung)?",
    r"(?:deja|dejar|escribe|escribir|añade) (?:un|tu) (?:comentario|respuesta)|deja una respuesta|cancelar (?:la )?respuesta|(?:\d+ )?comentarios?(?: \(\d+\))?|tu (?:dirección de )?correo electrónico no será publicad[ao].{0,90}",
    r"sobre (?:el autor|la autora)|todos los derechos reservados.{0,80}|(?:artículo|entrada|noticia) (?:anterior|siguiente)\b.{0,120}|aviso legal",
    r"lascia un (?:commento|messaggio)|(?:scrivi|aggiungi) un commento|annulla risposta|(?:\d+ )?comment[io](?: \(\d+\))?|il tuo indirizzo e-?mail non sarà pubblicato.{0,90}|(?:sull['’]autore|informazioni sull['’]autore)|tutti i diritti riservati.{0,80}|articolo (?:precedente|successivo)\b.{0,120}|riproduzione riservata.{0,40}",
    r"(?:deixe|escreva) (?:um|o seu|uma) (?:comentário|resposta)|cancelar resposta|(?:\d+ )?comentários?(?: \(\d+\))?|o seu endereço de e-?mail não será publicado.{0,90}|sobre o autor|todos os direitos reservados.{0,80}|(?:artigo|notícia) anterior\b.{0,120}",
    r"(?:laat|geef) een (?:reactie|antwoord) (?:achter|geven)|geef een reactie|plaats een reactie|reactie annuleren|(?:\d+ )?reacties?(?: \(\d+\))?|(?:je|het) e-?mailadres wordt niet gepubliceerd.{0,90}|over de auteur|alle rechten voorbehouden.{0,80}|(?:vorig|volgend)e? (?:artikel|bericht)\b.{0,120}",
    r"(?:оставить|оставьте|добавить|написать|добавьте) (?:свой )?(?:комментарий|ответ|отзыв)|отменить ответ|(?:\d+ )?комментари(?:и|й|ев|я)(?: \(\d+\))?|ваш (?:адрес )?e-?mail не будет опубликован.{0,90}|об авторе|все права защищены.{0,120}|(?:предыдущая|следующая) (?:статья|запись|новость)\b.{0,120}|при (?:полном или частичном )?использовании материалов .{0,200}",
    r"(?:թողնել|ավելացնել|գրել) (?:մեկնաբանություն|պատասխան)|(?:\d+ )?մեկնաբանություն(?:ներ)?(?: \(\d+\))?|հեղինակի մասին|բոլոր իրավունքները պաշտպանված են.{0,80}",
    r"(?:bir )?(?:yorum|cevap) (?:yap|yaz|bırak)(?:ın|mak|ma)?|yanıtı iptal et|(?:\d+ )?yorum(?:lar)?(?: \(\d+\))?|e-?posta (?:hesabınız|adresiniz) yayımlanmayacak.{0,90}|yazar hakkında|(?:tüm|bütün) hakları saklıdır.{0,80}|(?:önceki|sonraki) (?:haber|yazı|makale)\b.{0,120}",
    r"(?:اترك|أضف|إترك|اكتب) (?:تعليق|رد|ردا|تعليقا|تعليقك|رداً|تعليقاً).{0,20}|إلغاء الرد|(?:\d+ )?(?:التعليقات|تعليقات|تعليق)(?: \(\d+\))?|(?:لن يتم نشر|لن يُنشر) .{0,60}البريد.{0,60}|عن (?:الكاتب|المؤلف)|جميع الحقوق محفوظة.{0,80}",
))  # fmt: skip

# Titles of other articles follow.
RELATED = _whole((
    r"(?:you (?:may|might) (?:also )?(?:like|be interested in|enjoy|have missed)|(?:more|also) (?:from|on|in|by) .{1,60}|more (?:stories|news|articles|headlines|coverage|reading)|recommended(?: (?:for you|stories|articles|reading))?)",
    r"(?:related|similar|latest|recent|top|popular|trending|featured|other|most (?:read|popular|viewed|shared|recent)|editor['’]?s['’]? (?:picks?|choice))(?: (?:articles?|stories|posts?|news|content|coverage|topics?|links?|reading|items?|now|videos?|headlines?))?(?: (?:from|on|in) .{1,40})?",
    r"read (?:more|next|also)|see also|further reading|up next|don['’]?t miss|what to read next|what['’]s next|in case you missed it|in this (?:series|section)|around the web|from around the web|from our partners|sponsored(?: (?:content|stories|links))?|promoted(?: (?:content|stories))?|paid content|trending|must reads?|keep reading|more like this|more top stories",
    r"(?:vous (?:aimerez|pourriez|allez) (?:aussi|aimer|également).{0,40}|(?:à )?lire aussi|à lire (?:également|ensuite)|sur le même (?:sujet|thème)|articles? (?:similaires?|liés|connexes|récents|recommandés)|les plus lus|dans la même rubrique|voir aussi|à ne pas manquer|nos derniers articles|dernières nouvelles|à la une|plus d['’]articles.{0,40})",
    r"(?:das könnte (?:sie|dich|ihnen|dir) auch.{0,30}|(?:mehr|weitere) (?:zum thema|artikel|nachrichten|themen|beiträge|meldungen)|ähnliche (?:artikel|beiträge|themen)|verwandte (?:artikel|themen|beiträge)|lesen sie auch|auch interessant|meistgelesen(?:e artikel)?|mehr von .{1,40}|mehr aus .{1,40}|neueste (?:artikel|beiträge|nachrichten)|zum thema|siehe auch|empfehlungen der redaktion|top-?themen)",
    r"(?:(?:también )?(?:te|le) puede(?:n)? interesar|quizás te interese|(?:noticias|artículos|entradas) (?:relacionad[ao]s|recientes|similares|destacad[ao]s)|lo más (?:leído|visto)|le[ea] también|lee más|más (?:noticias|información|sobre .{1,40})|ver también|relacionad[ao]s|últimas noticias|recomendad[ao]s)",
    r"(?:(?:ti )?potrebbe(?:ro)? (?:anche )?interessar(?:ti|e)(?: anche)?|leggi anche|articoli (?:correlati|simili|recenti|consigliati)|(?:i )?più lett[ie]|ultime notizie|altre notizie|vedi anche|notizie correlate|della stessa sezione|altri articoli.{0,30})",
    r"(?:(?:você )?(?:também )?pode (?:gostar|se interessar|interessar).{0,30}|leia (?:também|mais)|veja (?:também|mais)|(?:artigos|notícias|posts|matérias) (?:relacionad[ao]s|recentes)|mais (?:lidas|lidos|notícias)|saiba mais|últimas notícias|recomendad[ao]s|talvez (?:você|te) goste.{0,20})",
    r"(?:lees (?:ook|meer|verder)|(?:gerelateerde|verwante|andere|meer) (?:artikelen|berichten|nieuws)|meest gelezen|misschien vind je dit ook.{0,30}|dit vind je misschien ook.{0,30}|zie ook|bekijk ook|meer over .{1,40}|laatste nieuws)",
    r"(?:читайте (?:также|ещё|еще)|смотрите также|(?:также )?по теме|материалы по теме|похожие (?:статьи|записи|материалы|новости)|(?:другие|последние|главные|свежие|связанные) (?:новости|материалы|статьи|записи)|рекомендуем(?:ые)?(?: материалы)?|самое (?:читаемое|популярное|интересное)|популярн(?:ое|ые)(?: новости)?|вам (?:может|также может) (?:быть интересно|понравиться)|вас (?:может|также может) заинтересовать|ещё по теме|новости партн[её]ров|лента новостей|подробнее)",
    r"(?:կարդացեք (?:նաև|ավելին)|կարդալ (?:նաև|ավելին)|նմանատիպ (?:նյութեր|հոդվածներ)|առնչվող (?:նյութեր|հոդվածներ|նորություններ)|այլ (?:նորություններ|նյութեր)|վերջին (?:նորություններ|լուրեր)|դիտեք նաև|ամենաընթերցված.{0,20}|թեմայի շուրջ)",
    r"(?:bunlar da ilginizi çekebilir|ilginizi çekebilir|benzer (?:haberler|yazılar|içerikler)|ilgili (?:haberler?|yazılar|içerikler)|ayrıca (?:bakınız|okuyun)|(?:en )?çok okunan(?:lar)?|diğer haberler|son (?:haberler|dakika|yazılar)|önerilen(?:ler)?(?: (?:haberler|içerikler))?|bunları da okuyun)",
    r"(?:اقرأ (?:أيضا|أيضاً|ايضا|المزيد)|إقرأ (?:أيضا|أيضاً|ايضا|المزيد)|قد يهمك(?: أيضا| أيضاً)?|قد يعجبك(?: أيضا| أيضاً)?|مقالات (?:ذات صلة|مشابهة|أخرى)|أخبار (?:ذات صلة|أخرى)|مواضيع (?:ذات صلة|مشابهة)|الأكثر (?:قراءة|مشاهدة)|آخر الأخبار|المزيد من .{1,40}|شاهد أيضا|شاهد أيضاً)",
))  # fmt: skip

# A box that asks for an address, money or an app; the article may continue below.
ASKS = _whole((
    r"(?:sign|signed?) ?up(?: (?:here|now|today|free|for|to)\b.{0,140})?|subscribe(?: (?:to|for|now|today|here|free|and)\b.{0,140})?|(?:our|the|daily|weekly|free|email|get the|join our)(?: \w+){0,3} newsletters?.{0,40}|newsletters?(?: sign-?up)?|already a subscriber\?.{0,40}|log ?in.{0,40}|(?:create|register for) (?:a|an|your) (?:free )?account.{0,40}",
    r"we (?:value|respect) your privacy|(?:support|donate(?: to)?|fund) (?:us|our (?:work|journalism|reporting)|independent journalism).{0,80}|donate(?: now)?|become a (?:member|supporter|patron|subscriber).{0,60}|(?:download|get) (?:our|the) .{0,30}\bapp\b.{0,60}|follow us(?: on\b.{0,80})?|join (?:us|our) .{0,20}(?:telegram|whatsapp|facebook|discord|channel|community|mailing list).{0,60}|stay (?:up to date|informed|connected|in the loop).{0,80}|enter your e-?mail.{0,60}|(?:your )?e-?mail(?: address)?\*?|we care about .{0,60}|never miss .{0,80}|don['’]t miss (?:a|an|out|our|the) .{0,80}",
    r"(?:inscrivez-vous|abonnez-vous|s['’]inscrire|s['’]abonner|je m['’]abonne|je m['’]inscris)\b.{0,120}|recevez (?:notre|nos|la|chaque|toute).{0,120}|(?:la |notre |votre )?newsletter.{0,40}|(?:votre )?(?:adresse )?e-?mail|soutenez(?:-nous| notre).{0,80}|suivez-nous.{0,60}|déjà abonné.{0,40}|faire un don",
    r"(?:jetzt )?(?:anmelden|abonnieren|registrieren)\b.{0,40}|(?:melden|abonnieren) sie .{0,120}|(?:abonniere|melde dich) .{0,100}newsletter.{0,40}|(?:unser(?:en)? |zum |den )?newsletter.{0,40}|(?:ihre )?e-?mail-?adresse|folgen sie uns.{0,60}|jetzt spenden|unterstützen sie .{0,80}",
    r"(?:suscr[ií]b(?:ete|ase|irse|ir)|reg[ií]strate|apúntate|inscríbete)\b.{0,120}|recib[ea] .{0,60}(?:boletín|newsletter|correo).{0,40}|(?:nuestro )?boletín(?: de noticias| informativo| diario)?|(?:tu |su )?(?:dirección de )?correo electrónico|s[ií]g[aue]+(?:e)?nos en.{0,60}|síguenos.{0,60}|dona(?:r)?(?: ahora)?",
    r"iscriviti\b.{0,120}|abbonati\b.{0,80}|ricevi .{0,60}newsletter.{0,40}|(?:la nostra |la tua )?(?:newsletter|e-?mail)|seguici\b.{0,60}|registrati\b.{0,60}|sostienici.{0,60}|dona ora",
    r"(?:assine|inscreva-se|cadastre-se|subscreva|receba)\b.{0,120}|(?:nossa |a nossa )?newsletter|(?:seu |o seu )?e-?mail|siga(?:-nos)?\b.{0,60}|apoie .{0,80}|já é assinante.{0,40}",
    r"(?:schrijf (?:je|u) in|abonneer(?: je| u)?|meld (?:je|u) aan|inschrijven|aanmelden)\b.{0,120}|ontvang .{0,80}nieuwsbrief.{0,40}|(?:onze |de )?nieuwsbrief.{0,40}|(?:je |uw )?e-?mailadres|volg ons.{0,60}|steun ons.{0,60}|doneer(?: nu)?",
    r"(?:подпи(?:шитесь|сывайтесь|саться|ска))\b.{0,140}|(?:наша |наш |новостная )?(?:рассылка|телеграм-канал).{0,60}|(?:ваш |введите (?:ваш )?)?e-?mail|(?:следите за нами|мы в|присоединяйтесь к нам)\b.{0,80}|поддержите .{0,100}|читайте нас в .{0,60}",
    r"(?:բաժանորդագրվ(?:եք|ել)|գրանցվ(?:եք|ել))\b.{0,120}|հետևեք մեզ.{0,60}|(?:ձեր )?էլ\. ?(?:փոստ|հասցե).{0,20}|միացեք մեզ.{0,60}|աջակցեք .{0,60}",
    r"(?:abone ol|üye ol|kaydol|kayıt ol)(?:un|unuz)?\b.{0,80}|bültenimize .{0,80}|(?:e-?bülten|haber bülteni).{0,40}|(?:e-?posta)(?: adresiniz| adresi)?|bizi (?:takip edin|izleyin).{0,60}|takip edin.{0,40}",
    r"(?:اشترك|إشترك|اشتركوا|سجل|سجّل)\b.{0,120}|(?:النشرة|نشرتنا) (?:البريدية|الإخبارية|الاخبارية).{0,40}|(?:البريد الإلكتروني|بريدك الإلكتروني).{0,20}|تابعنا\b.{0,60}|تابعونا\b.{0,60}",
))  # fmt: skip

# What follows such a box: whole sentences, but about the newsletter and not the story.
PROMISES = re.compile(
    r"\b(?:(?:support|fund)s? (?:our|this|independent|nonprofit|non-profit)(?: \w+){0,2} (?:journalism|newsroom|reporting)|creative commons|donate (?:today|now)|"
    r"your (?:gift|donation) (?:will|is)|(?:in|into|inside|to) your (?:inbox|mailbox|e-?mail)|privacy policy|terms (?:of (?:use|service)|and conditions)|unsubscribe|"
    r"(?:our|this|daily|weekly|free|morning) (?:e-?mail |\w+ )?newsletter|get notified|latest (?:updates|news) (?:from|by|in your|straight|delivered)|"
    r"by (?:signing up|subscribing|clicking)|e-?mail address|something went wrong|check your (?:inbox|e-?mail)|"
    r"thank you for (?:subscribing|signing up)|protected by recaptcha|cookies?|spam folder|"
    r"newsletter|boîte mail|boîte de réception|politique de confidentialité|désabonner|désinscrire|"
    r"datenschutz\w*|postfach|abmelden|política de privacidad|bandeja de entrada|informativa sulla privacy|casella di posta|"
    r"caixa de entrada|privacybeleid|nieuwsbrief|политик\w+ конфиденциальности|рассылк\w+|gizlilik politikası|gelen kutu\w+|سياسة الخصوصية)\b",
    re.I,
)

# Whole sentences that ask for money in the middle of a story.
APPEALS = re.compile(
    r"\b(?:thanks for reading .{0,60}subscribe|subscribe for free to receive|donate (?:today|now)\b|your (?:gift|donation) will be (?:matched|doubled)|support our (?:nonprofit|non-profit|independent) (?:newsroom|journalism)"
    r"|become a (?:member|supporter) (?:today|now)\b|make a (?:donation|gift) (?:today|now)\b|chip in\b.{0,40}\btoday\b|jetzt (?:spenden|unterstützen)\b|faites un don\b|haz una donación\b)",
    re.I,
)

# What a page asks consent for; two of these in one block are not part of a story.
CONSENT = re.compile(
    r"\b(?:cookies?|your (?:privacy|device|consent|choices|preferences|browser)|personal(?:i[sz]ed)? (?:data|ads?|content|information)|our (?:\d+ )?partners|"
    r"legitimate interests?|(?:unique )?identifiers|tracking technolog\w+|browsing data|at any time by click\w+|this (?:web)?site uses|accept all|"
    r"einwilligung\w*|zustimm\w+|datenschutz\w*|personenbezogen\w*|ihr(?:em|en)? (?:gerät|browser)|traceurs|consentement|vos (?:choix|préférences|données)|données personnelles|nos partenaires|"
    r"sus (?:preferencias|datos|opciones)|consentimiento|datos personales|nuestros socios|le tue (?:preferenze|scelte)|consenso|dati personali|nostri partner|"
    r"seus dados|consentimento|dados pessoais|uw (?:toestemming|voorkeuren|gegevens)|persoonsgegevens|персональн\w+ данн\w+|файл\w+ cookie|çerez\w*|kişisel veri\w*)\b",
    re.I,
)

# One block that is never part of the story, wherever it is.
ALONE = _whole((
    r"(?:advertise?ments?|anzeige|werbung|publicit[éy]|publicidad(?:e)?|pubblicità|advertentie|реклама|գովազդ|reklam|إعلان|إعلانات|sponsored|ad|ads|story continues below.{0,40}|article continues (?:below|after).{0,40}|continue reading(?: (?:below|the main story|after).{0,40})?|scroll (?:down )?to continue.{0,20}|skip (?:to .{1,40}|advertisement|past .{1,60}|ad)|(?:la suite|suite) après (?:la|cette) publicité|der artikel geht .{0,30} weiter|lesen sie nach der anzeige weiter)",
    r"(?:(?:share|tweet|pin|print|e-?mail|save|copy(?: link)?|like|post|send|pocket|flipboard|bookmark|gift|whatsapp|facebook|twitter|x|telegram|linkedin|reddit|pinterest|viber|messenger|tumblr|instagram|youtube|bluesky|mastodon|threads|vk|ok|odnoklassniki|teilen|drucken|merken|partager|imprimer|envoyer|compart(?:ir|e|ilhar|ilhe)|imprimir|condividi|stampa|delen|printen|поделиться|печать|распечатать|կիսվել|տպել|paylaş|yazdır|شارك|طباعة)(?:\s*[|/,·•]?\s*|$)){1,12}",
    r"(?:share|tweet|pin|e-?mail|print|save|send|post|copy|gift) (?:this|the|on|via|to|by|with|article|story|post|link|it)\b.{0,60}|(?:click to )?(?:share|email|print)(?: .{0,40}\(opens in new window\))|partage[rz] (?:cet|l['’]|sur|ce|par)\b.{0,50}|(?:artikel|beitrag|seite) (?:teilen|drucken|merken)|(?:auf|per|via) (?:facebook|twitter|x|whatsapp|e-?mail|telegram) (?:teilen|versenden)|compart(?:ir|e|a|ilhar|ilhe) (?:en|no|na|este|esta|esto|por|via)\b.{0,40}|condividi (?:su|questo|via|l['’])\b.{0,40}|deel (?:dit|op|via)\b.{0,40}|поделиться (?:в|с|этой|ссылкой|новостью|статьёй)\b.{0,40}|կիսվել .{0,30}|(?:facebook|twitter|x|whatsapp)['’]?(?:ta|da|te|de) paylaş|شارك (?:على|هذا|المقال|الخبر)\b.{0,40}|شارك .{0,20}",
    r"(?:listen|watch|play)(?: (?:to|now|live|this|the|audio|video)\b.{0,60})?|listen to this (?:article|story)\b.{0,60}|(?:écoutez?|écouter) .{0,60}|artikel anhören.{0,40}|(?:diesen )?artikel (?:vorlesen|hören).{0,30}|escucha(?:r)? (?:este|la|el)\b.{0,50}|ascolta (?:questo|l['’])\b.{0,50}|ouvir (?:este|o|a)\b.{0,40}|luister (?:naar )?dit .{0,30}|слушать (?:статью|новость|материал).{0,20}|прослушать .{0,40}|haberi dinle|استمع .{0,40}|(?:0?\d:)?\d{1,2}:\d{2}(?: ?/ ?\d{1,2}:\d{2})?",
    r"(?:estimated )?(?:reading time|read time|temps de lecture|durée de lecture|lesezeit|lesedauer|tiempo de lectura|tempo di lettura|tempo de leitura|leestijd|время чтения|okuma süresi|وقت القراءة|մոտավոր ընթերցման ժամանակը)\s*:?.{0,24}|[<~]?\d{1,2}[ -]?(?:min|minutes?|minuten|minutos|minuti|мин|минут[аы]?|dakika|dk|րոպե|دقائق|دقيقة)\.?(?: (?:read|reading|de lecture|lesezeit|lesen|de lectura|di lettura|de leitura|leestijd|lezen|чтения|okuma|قراءة))?",
    r"(?:skip to (?:main )?content|(?:open |close |main |toggle |show |hide )?(?:menu|navigation|search|sidebar)(?: (?:menu|bar))?|home(?:page)?|log ?in|sign in|log ?out|my account|search(?: for)?:?|close|open|more|next|previous|prev|back|top|live|breaking(?: news)?|latest|news|edition|subscribe now|buy now|zum inhalt springen|aller au contenu(?: principal)?|ir al contenido(?: principal)?|saltar al contenido|vai al contenuto|pular para o conteúdo|ga naar (?:de )?inhoud|перейти к содержанию|меню|главная|startseite|accueil|inicio|início|anasayfa|ana sayfa|գլխավոր|الرئيسية|القائمة|suche(?:n)?|recherche(?:r)?|buscar|cerca|zoeken|поиск|որոնում|ara|بحث)",
    r"(?:read (?:also|more|next|on|about)|see (?:also|more)|also read|related(?: (?:story|article|news|coverage|content|post|video))?|watch(?: (?:also|more|now|live))?|listen|further reading|don['’]t miss|more on this(?: story)?|you may (?:also )?like|recommended|explained|must read|trending|(?:à )?lire (?:aussi|également)|voir aussi|sur le même sujet|lesen sie (?:auch|mehr|hier)|(?:lesen|sehen) sie dazu(?: auch)?|mehr (?:zum thema|dazu)|siehe auch|lea también|lee también|lee más|le puede interesar|te puede interesar|vea también|ver también|leggi anche|guarda anche|vedi anche|leia (?:também|mais)|veja (?:também|mais)|saiba mais|lees (?:ook|meer|verder)|bekijk ook|zie ook|читайте (?:также|ещё|еще|подробнее)|смотрите также|(?:также )?по теме|подробнее|կարդացեք (?:նաև|ավելին)|կարդալ նաև|ayrıca okuyun|ilgili haber|okuyun|bunu da oku(?:yun)?|اقرأ (?:أيضا|أيضاً|ايضا|المزيد)|إقرأ (?:أيضا|أيضاً|ايضا|المزيد)|شاهد (?:أيضا|أيضاً))\s*[:|>»›→–—-]+\s*\S.{0,220}",
    r"(?:published|updated|posted|publié|mis à jour|modifié|veröffentlicht|aktualisiert|publicado|actualizado|atualizado|pubblicato|aggiornato|bijgewerkt|опубликовано|обновлено|yayınlanma|güncelleme)\b.{0,60}\d{1,2}[:h.]\d\d.{0,60}",
    r"reporting (?:from|by) [A-Z].{1,80}|(?:(?:media |press )?contacts?|release date|for release|embargo(?:ed)?(?: until)?|phone|tel(?:ephone)?|e-?mail)\s*:.{0,120}|for immediate release|(?:news|press) release|.{10,250}\b(?:credit|photo(?:graph)?s?|foto|crédit(?: photo)?|bild)\s*(?:\.{2,3}|…|:|©)\s*[A-Z].{2,80}|(?:photos?|photo credit|image(?: credit)?|picture|credit|file photo|illustration|foto|fotos|fotografía|crédit(?: photo)?|bild|bildquelle|фото|լուսանկար(?:ը)?|fotoğraf|الصورة)\s*(?:by|courtesy(?: of)?|credit|source|:|©|/)\s*.{1,80}|\(?(?:photo|image|foto|bild|фото)s?(?: by| via| courtesy(?: of)?|:) .{1,60}\)|(?:getty images|shutterstock|istock)(?:.{0,40})",
    r"(?:tags?|topics?|filed under|categor(?:y|ies)|posted in|tagged(?: with| as)?|keywords|in this article|schlagw(?:orte|örter)|schlagworte|themen|stichworte|mots[- -]clés|étiquettes|etiquetas|temas|argomenti|etichette|trefwoorden|теги|метки|темы|տեգեր|պիտակներ|թեգեր|etiketler|konular|الوسوم|وسوم|كلمات مفتاحية)\s*:.{0,300}|(?:tags?|topics?|filed under|categories|schlagworte|étiquettes|etiquetas|теги|метки|պիտակներ|etiketler|الوسوم)|(?:#[\w-]+[\s,]*){1,20}",
    r"(?:\d[\d.,]*[kKmM]?\s*)(?:shares?|views?|likes?|comments?|retweets|followers|partages|vues|aufrufe|просмотр\w*|visualizaciones|görüntülenme|مشاهدة)|(?:view|see|show) (?:full|all|more|larger|gallery)\b.{0,40}|(?:live |breaking )?[|•:·-]? ?(?:updated|published|posted|last (?:updated|modified))\s*:?\s*\d+ (?:minutes?|hours?|days?|weeks?|months?) ago|\d+ (?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?) ago|toggle .{0,30}|(?:image )?\d{1,3} of \d{1,3}|re-?publish(?: (?:this|our) (?:story|stories|article|articles)\b.{0,120})?|(?:like |now )?loading|like this|our standards: .{1,80}|\d{1,3} ?/ ?\d{1,3}|click here.{0,60}|(?:accept|reject|manage|allow)(?: (?:all|cookies|preferences|settings))+|got it!?|ok|i agree|accept",
))  # fmt: skip

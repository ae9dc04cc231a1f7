"""Write formulas as text that a message can show: MathML, and TeX as far as it is readable."""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

from digest.articles.html.trees import Element, all_of, element, remove, words_of

_UNSHOWN = ("annotation", "annotation-xml", "mphantom")
# Programs that set TeX put a formula's MathML beside what they draw; Wikipedia hides it behind a picture.
_SET = re.compile(
    r"(?:^|\s)(?:katex|mathjax(?:_\w+)?|mjx-chtml|mjx-container|mwe-math-element)(?:\s|$)", re.I
)
_DRAWN = re.compile(r"katex-html|mwe-math-fallback|MathJax_Preview|MathJax_SVG", re.I)
_PICTURE = re.compile(
    r"/latex\.php\?|/math/render/(?:svg|png)/|latex\.codecogs\.com|[?&]cht=tx(?:&|$)|/(?:mathtex|mimetex|tex2?png)\b",
    re.I,
)
_PICTURE_CLASS = re.compile(r"(?:^|\s)(?:latex|tex|mathtex|ql-(?:img|inline)\S*|mwe-math-\S*)(?:\s|$)", re.I)
_IN_ADDRESS = re.compile(r"latex\.php\?latex=([^&]+)|codecogs\.com/(?:gif|png|svg)\.\w+\?(.+)", re.I)
_STYLED = re.compile(r"\A\s*\{?\s*\\(?:displaystyle|textstyle)\s*(.*?)\s*\}?\s*\Z", re.S)
_COMMANDS = {
    "cdot": "·", "times": "×", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠",
    "approx": "≈", "pm": "±", "infty": "∞", "to": "→", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ",
    "epsilon": "ε",
    "lambda": "λ", "mu": "μ", "pi": "π", "sigma": "σ", "theta": "θ", "phi": "φ", "omega": "ω", "Delta": "Δ",
    "Omega": "Ω", "Sigma": "Σ", "ldots": "…", "dots": "…", "in": "∈", "sim": "~",
}  # fmt: skip
_COMMAND = re.compile(r"\\([a-zA-Z]+)(?![a-zA-Z])\s?")
_GROUP = re.compile(r"([_^])\{([^{}]{1,12})\}")
_LONGEST_TEX = 80


def write_formulas(tree: Element, tags: frozenset[str]) -> None:
    """Replace each `math` element by text; powers become `sup`, indices `sub`, fractions a/b."""
    for image in all_of(tree, *tags.intersection(("img",))):
        _write_picture(image)
    for script in all_of(tree, *tags.intersection(("script",))):
        if (script.get("type") or "").lower().startswith("math/tex"):
            script.tag, script.text = (
                "span",
                _readable(script.text or "") or f"\\({(script.text or '').strip()}\\)",
            )
    formulas = list(all_of(tree, *tags.intersection(("math",))))
    _keep_one_form(formulas)
    for math in formulas:
        for unshown in all_of(math, *_UNSHOWN):
            _empty(unshown)
        for part in reversed(list(math.iter())):
            _write(part)
        stated = (math.get("alttext") or "").strip()
        if not words_of(math).strip() and stated:
            math.text = stated
        math.tag = "span"


def _write_picture(image: Element) -> None:
    """Replace the picture of a formula by its text if that can be read; any other stays."""
    address = image.get("src") or image.get("data-src") or ""
    if not _PICTURE.search(address) and not _PICTURE_CLASS.search(image.get("class") or ""):
        return
    stated = _IN_ADDRESS.search(address)
    tex = (image.get("alt") or "").strip() or (unquote_plus(stated[1] or stated[2]) if stated else "")
    if readable := _readable(tex):
        image.tail = readable + (image.tail or "")
        remove(image)


def _readable(tex: str) -> str:
    """Return TeX of letters, signs and powers as text; "" for any other."""
    text = tex.strip().strip("$").strip()
    if styled := _STYLED.match(text):
        text = styled[1]
    text = _COMMAND.sub(lambda command: _COMMANDS.get(command[1], command[0]), text)
    text = _GROUP.sub(lambda group: group[1] + (group[2] if len(group[2]) == 1 else f"({group[2]})"), text)
    return "" if len(text) > _LONGEST_TEX or any(sign in text for sign in "\\{}&") else " ".join(text.split())


def _keep_one_form(formulas: Iterable[Element]) -> None:
    """Remove what is drawn beside a formula's MathML, and show MathML that is hidden behind that."""
    kept: set[Element] = set()
    holders: list[Element] = []
    for math in formulas:
        within = [math]
        for holder in math.iterancestors():
            within.append(holder)
            if _SET.search(f"{holder.get('class') or ''} {holder.tag}"):
                holders.append(holder)
                kept.update(within)
                break
    for one in kept:
        one.attrib.pop("style", "")
        if str(one.tag).startswith("mjx-"):
            one.tag = "span"
    for holder in dict.fromkeys(holders):
        for other in list(holder.iter()):
            is_drawn = other.get("aria-hidden") == "true" or _DRAWN.search(other.get("class") or "")
            if is_drawn and other not in kept:
                remove(other)


def _write(part: Element) -> None:
    """Write one element whose children have been written."""
    children = list(part)
    if part.tag == "mfrac" and len(children) == 2:
        _bracket(children[0])
        _bracket(children[1])
        children[0].tail = "/"
    elif part.tag in ("msqrt", "mroot") and children:
        part.text = "√("
        children[-1].tail = ")"
        if part.tag == "mroot" and len(children) == 2:
            part.remove(children[1])
            children[0].tail = ")"
    elif part.tag in ("msup", "mover") and len(children) == 2:
        children[1].tag = "sup" if part.tag == "msup" else "span"
    elif part.tag in ("msub", "munder") and len(children) == 2:
        children[1].tag = "sub"
    elif part.tag in ("msubsup", "munderover") and len(children) == 3:
        children[1].tag, children[2].tag = "sub", "sup"
    elif part.tag in ("mtd", "mspace"):
        part.tail = " " + (part.tail or "")
    elif part.tag == "mo" and (part.text or "").strip() in ("\u2061", "\u2062", "\u2063", "\u2064"):
        part.text = None
    if part.tag not in ("sup", "sub", "math"):
        part.tag = "span"


def _bracket(part: Element) -> None:
    if len(words_of(part).strip()) > 1 and len(list(part.iter())) > 1:
        inner = element("span", part.text or "")
        inner.extend(list(part))
        part.text, part[:] = "(", [inner]
        inner.tail = ")"


def _empty(part: Element) -> None:
    part.text = None
    part[:] = []

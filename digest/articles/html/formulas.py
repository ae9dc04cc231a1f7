"""Write MathML as text that a message can show."""

from digest.articles.html.trees import Element, all_of, element, words_of

_UNSHOWN = ("annotation", "annotation-xml", "mphantom")


def write_formulas(tree: Element, tags: frozenset[str]) -> None:
    """Replace each `math` element by text; powers become `sup`, indices `sub`, fractions a/b."""
    for math in all_of(tree, *tags.intersection(("math",))):
        for unshown in all_of(math, *_UNSHOWN):
            _empty(unshown)
        for part in reversed(list(math.iter())):
            _write(part)
        stated = (math.get("alttext") or "").strip()
        if not words_of(math).strip() and stated:
            math.text = stated
        math.tag = "span"


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

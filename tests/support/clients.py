"""A small message for each feature that templates/email/clients.toml names, which uses it."""

from pathlib import Path

FILE = Path(__file__).parents[2] / "templates" / "email" / "clients.toml"


def _styled(style: str) -> str:
    return f'<div style="{style}">x</div>'


def _sheet(css: str) -> str:
    return f"<style>{css}</style><p>x</p>"


USES = {
    "<bdi> element": "<p>By <bdi>x</bdi></p>",
    "<body> element": "<body><p>x</p></body>",
    "<style> element": "<style></style><p>x</p>",
    "@media": _sheet("@media (max-width: 540px) { p { color: red } }"),
    "Attribute selector": _sheet("[data-ogsc] { color: red }"),
    "Class selector": _sheet(".a { color: red }"),
    "Descendant combinator": _sheet("p a { color: red }"),
    "Type selector": _sheet("p { color: red }"),
    "aria-label attribute": '<div aria-label="x">x</div>',
    "color-scheme meta tag": '<meta name="color-scheme" content="light dark">',
    "display:none": _styled("display: none"),
    "max-height property": _styled("max-height: 0"),
    "overflow": _styled("overflow: hidden"),
    "height property": _styled("height: 1px"),
    "min-width property": _styled("min-width: 220px"),
    "position": _styled("position: absolute"),
    "z-index": _styled("z-index: 1"),
    "float": _styled("float: left"),
    "display:flex": _styled("display: flex"),
    "display:grid": _styled("display: grid"),
    "grid-template-* properties": _styled("grid-template-columns: 1fr 1fr"),
    "gap, column-gap, row-gap": _styled("gap: 4px"),
    "css column properties": _styled("columns: 2"),
    "background-image": _styled("background-image: url(https://x.example/x)"),
    "linear-gradient()": _styled("background: linear-gradient(red, blue)"),
    "border-radius": _styled("border-radius: 4px"),
    "box-shadow": _styled("box-shadow: 0 0 4px red"),
    "text-shadow": _styled("text-shadow: 0 0 4px red"),
    "opacity": _styled("opacity: 0.5"),
    "visibility": _styled("visibility: hidden"),
    "transform": _styled("transform: rotate(4deg)"),
    "transition": _styled("transition: color 1s"),
    "animation": _styled("animation: x 1s"),
    "@keyframes": _sheet("@keyframes x { from { color: red } }"),
    "filter": _styled("filter: blur(1px)"),
    "object-fit": _styled("object-fit: cover"),
    "CSS calc() function": _styled("width: calc(100% - 4px)"),
    "CSS Variables (Custom Properties)": _styled("color: var(--ink)"),
    "@font-face": _sheet("@font-face { font-family: x; src: url(https://x.example/x) }"),
    "@import": _sheet('@import "https://x.example/x";'),
    "@supports": _sheet("@supports (display: grid) { p { color: red } }"),
    ":hover": _sheet("p:hover { color: red }"),
    "<link> element": '<link rel="stylesheet" href="https://x.example/x">',
    "Embedded <svg> image": "<svg></svg>",
    "SVG image format": '<img src="https://x.example/x.svg" alt="">',
    "webP image format": '<img src="https://x.example/x.webp" alt="">',
    "AVIF image format": '<img src="https://x.example/x.avif" alt="">',
    "<picture> element": "<picture></picture>",
    "srcset and sizes attributes": '<img srcset="https://x.example/x 2x" alt="">',
    "<form> element": "<form></form>",
    "<select> element": "<select></select>",
    "<textarea> element": "<textarea></textarea>",
    "<video> element": "<video></video>",
    "<audio> element": "<audio></audio>",
    "<object> element": "<object></object>",
    "<base>": "<base>",
    "<marquee> element": "<marquee>x</marquee>",
    "HTML5 semantics": "<article>x</article>",
}

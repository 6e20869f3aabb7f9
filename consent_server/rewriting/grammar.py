"""HTML grammar: the tokens of the HTML standard (13.2.5) as expressions over bytes.

A token matches only when all of it is there, so the same page is read alike however
it is cut into pieces. Every encoding in which ASCII stands for itself is read.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

_SPACE: Final = rb"[\t\n\f\r ]"
_END_OF_NAME: Final = rb"(?=[\t\n\f\r />])"
#: A quote opens a value only behind "="; elsewhere it belongs to a name or an unquoted value.
_VALUE: Final = rb"""(?:"[^"]*+"|'[^']*+'|(?!["'])[^\t\n\f\r >]*+)"""
_NAME: Final = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_ATTRIBUTE: Final = (
    _NAME + rb"(?:" + _SPACE + rb"*+=" + _SPACE + rb"*+" + _VALUE + rb"|(?!" + _SPACE + rb"*+=))"
)
#: Everything of a tag behind its name.
_REST: Final = rb"(?:[\t\n\f\r /]++|" + _ATTRIBUTE + rb")*+>"
#: The same without anything that could name another host: "//", ":", "&", "\\".
_LOCAL_VALUE: Final = (
    rb"""(?:"(?:[^"/:&\\\t\n\r]++|/(?!/))*+"|'(?:[^'/:&\\\t\n\r]++|/(?!/))*+'"""
    rb"""|(?!["'])(?:[^\t\n\f\r >/:&\\]++|/(?!/))*+(?=[\t\n\f\r >]))"""
)
_LOCAL_REST: Final = (
    rb"(?:[\t\n\f\r /]++|"
    + _NAME
    + rb"(?:"
    + _SPACE
    + rb"*+=[ ]?+"
    + _LOCAL_VALUE
    + rb"|(?!"
    + _SPACE
    + rb"*+=)))*+>"
)
_COMMENT: Final = rb"<!--(?:-?>|(?:[^-]++|-(?!-!?>))*+--!?>)"
_BOGUS_COMMENT: Final = rb"<(?:\?|!(?!--))[^>]*+>|</(?:[^A-Za-z>][^>]*+)?>"
_CDATA: Final = rb"<!\[CDATA\[(?:[^\]]++|\](?!\]>))*+\]\]>"

#: Elements whose content is text, script apart (13.2.6.2 and 13.2.6.4).
TEXT_ELEMENTS: Final = frozenset(
    {b"title", b"textarea", b"xmp", b"noembed", b"noframes", b"iframe", b"style", b"noscript"}
)
#: Elements that load something by an attribute, and those attributes.
LOADING: Final[dict[bytes, tuple[bytes, ...]]] = {
    b"audio": (b"src",),
    b"body": (b"background",),
    b"embed": (b"src",),
    b"feimage": (b"href", b"xlink:href"),
    b"frame": (b"src",),
    b"iframe": (b"src",),
    b"image": (b"src", b"srcset", b"href", b"xlink:href"),
    b"img": (b"src", b"srcset"),
    b"input": (b"src",),
    b"link": (b"href", b"imagesrcset"),
    b"object": (b"data",),
    b"script": (b"src", b"href", b"xlink:href"),
    b"source": (b"src", b"srcset"),
    b"table": (b"background",),
    b"tbody": (b"background",),
    b"td": (b"background",),
    b"tfoot": (b"background",),
    b"th": (b"background",),
    b"thead": (b"background",),
    b"tr": (b"background",),
    b"track": (b"src",),
    b"video": (b"src", b"poster"),
}
#: Start tags in SVG or MathML that lead back to HTML (13.2.6.5).
BREAKOUTS: Final = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img "
    b"li listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul "
    b"var".split()
)
#: Elements of SVG, and of MathML, whose content is HTML again.
SVG_POINTS: Final = frozenset({b"foreignobject", b"desc", b"title"})
MATH_POINTS: Final = frozenset({b"mi", b"mo", b"mn", b"ms", b"mtext", b"annotation-xml"})
INTEGRATION_POINTS: Final = SVG_POINTS | MATH_POINTS
#: Elements of HTML that do not lead back to it. In SVG and MathML they are open like any other;
#: the end tag of one outside closes the drawing, which somebody forgot to close.
_OF_HTML: Final = frozenset(
    b"a abbr address article aside audio bdi bdo button canvas caption cite col colgroup data "
    b"datalist del details dfn dialog fieldset figcaption figure font footer form frame header "
    b"hgroup html iframe input ins kbd label legend link main map mark meter noscript object "
    b"optgroup option output picture progress q rp rt samp search section select slot source "
    b"summary tbody td template textarea tfoot th thead time tr track video".split()
)

#: Parts of tables, of which there are many, and most without a picture.
_PARTS: Final = frozenset({b"tbody", b"td", b"tfoot", b"th", b"thead", b"tr"})
_WITH_PICTURE: Final = rb"|t(?:[dhr]|body|foot|head)[\t\n\f\r /][^>]*?background"
_WATCHED: Final = (
    TEXT_ELEMENTS | set(LOADING) | {b"plaintext", b"template", b"base", b"svg", b"math"}
) - _PARTS
#: Loading elements without text of their own: a local one is nothing to look at.
VOID: Final = frozenset({b"embed", b"img", b"input", b"link", b"source", b"track"})
_AROUND: Final = INTEGRATION_POINTS | {b"svg", b"math"}
_FOREIGN: Final = BREAKOUTS | _AROUND | _OF_HTML | {b"script", b"style", b"image", b"feimage"}
_FOREIGN_ENDS: Final = BREAKOUTS | _AROUND | _OF_HTML
#: The beginning of a custom element's name, which may stand in a drawing or around it.
_CUSTOM: Final = (
    rb"(?!annotation-xml|color-profile|font-face|missing-glyph)[a-z][^\t\n\f\r />:-]*+-"
)
#: Letters and numbers of a formula, of which there are many.
_LEAVES: Final = b"|".join(
    rb"<%s(?:>|[\t\n\f\r ]++%s)[^<]*+</%s>" % (name, rb"[^<>\"'/]*+>", name)
    for name in (b"mi", b"mo", b"mn")
)


def _any(names: frozenset[bytes] | set[bytes], besides: bytes = b"") -> bytes:
    # By first letters, so that most names are told apart by one look.
    letters = groupby(sorted(names), key=lambda name: name[:1])
    groups = [
        letter + rb"(?:" + b"|".join(name[1:] for name in group) + rb")"
        for letter, group in letters
    ]
    return rb"(?:(?:" + b"|".join(groups) + rb")" + _END_OF_NAME + besides + rb")"


def _uneventful(
    starts: set[bytes] | frozenset[bytes],
    ends: set[bytes] | frozenset[bytes],
    other: bytes,
    local: bytes = b"",
    besides: bytes = b"",
) -> bytes:
    """Return the pattern of everything up to the next tag of these names, or of those besides."""
    plain = rb"[a-z][^\t\n\f\r />]*+" + _REST
    return (
        rb"(?:[^<]++|<(?:/(?!"
        + _any(ends, besides)
        + rb")"
        + plain
        + rb"|(?!"
        + _any(starts, besides)
        + rb")"
        + plain
        + local
        + rb"|(?=[^a-z/!?]))|"
        + _COMMENT
        + rb"|"
        + other
        + rb")*+"
    )


def _compile(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


#: What is copied as it is, in a page; inside HTML inside SVG; and in SVG or MathML.
UNEVENTFUL: Final = _compile(
    _uneventful(
        _WATCHED, {b"template"}, _BOGUS_COMMENT, rb"|" + _any(VOID) + _LOCAL_REST, _WITH_PICTURE
    )
)
#: The same where the page has a <base>, so that every address may lead elsewhere.
UNEVENTFUL_BASED: Final = _compile(
    _uneventful(_WATCHED, {b"template"}, _BOGUS_COMMENT, besides=_WITH_PICTURE)
)
UNEVENTFUL_INSIDE: Final = _compile(_uneventful(_WATCHED, {b"template"} | _AROUND, _BOGUS_COMMENT))
UNEVENTFUL_FOREIGN: Final = _compile(
    _uneventful(
        _FOREIGN,
        _FOREIGN_ENDS,
        _CDATA + rb"|(?!<!\[CDATA\[)(?:" + _BOGUS_COMMENT + rb")|" + _LEAVES,
        besides=rb"|" + _CUSTOM,
    )
)
TAG: Final = _compile(rb"<(/?)([a-z][^\t\n\f\r />]*+)" + _REST)
COMMENT_START: Final = b"<!--"
COMMENT_END: Final = re.compile(rb"--!?>")
ATTRIBUTES: Final = re.compile(
    rb"(" + _NAME + rb")(?:" + _SPACE + rb"*+=" + _SPACE + rb"*+(" + _VALUE + rb"))?"
)
#: What may stand before the head: byte order mark, blanks, comments, the doctype, <html>.
BEFORE_HEAD: Final = _compile(
    rb"(?:\xef\xbb\xbf)?(?:[\t\n\f\r ]++|"
    + _COMMENT
    + rb"|"
    + _BOGUS_COMMENT
    + rb"|<html"
    + _END_OF_NAME
    + _REST
    + rb")*+"
)
_BEFORE_DOCUMENT: Final = rb"(?:\xef\xbb\xbf)?(?:[\t\n\f\r ]++|" + _COMMENT + rb")*+"
IS_DOCUMENT: Final = _compile(
    _BEFORE_DOCUMENT
    + rb"<(?:!doctype|(?:html|head|body|title|meta|base|link|script|style)[\t\n\f\r />])"
)
#: What is a document even where a script asked, and may have asked for a piece.
IS_WHOLE_DOCUMENT: Final = _compile(_BEFORE_DOCUMENT + rb"<(?:!doctype|(?:html|head)[\t\n\f\r />])")
BLANKS: Final = re.compile(rb"[\t\n\f\r ]*+")
#: Where the text of a script changes its state (13.2.5.4 and on).
SCRIPT_TURN: Final = _compile(rb"<!--|-->|</?script" + _END_OF_NAME)


def text_end(name: bytes) -> re.Pattern[bytes]:
    """Return what ends the text of an element."""
    return _compile(rb"</" + re.escape(name) + _END_OF_NAME)

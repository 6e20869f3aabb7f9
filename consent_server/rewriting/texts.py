"""Texts: inline scripts and style sheets, made inert by what they name."""

from __future__ import annotations

import html
import json
import re
from typing import Final, Literal

from consent_server.rewriting.matching import Matcher
from consent_server.rewriting.tags import RUNS, Tag, enclosed


def _compile(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


#: Where a sheet stands: in the page, in SVG, or in a shadow root.
Place = Literal["page", "drawing", "root"]
_PLAIN: Final = b' type="text/plain"'
#: How a script in SVG names its file; the first counts.
LINKS: Final = (b"href", b"xlink:href")
_CDATA: Final = _compile(rb"<!\[CDATA\[(.*?)\]\]>")
_ENDS_SCRIPT: Final = _compile(rb"</script|<!--")
#: An address in a sheet, in quotes or bare; a bare one may hold escapes and the blank behind them.
#: What is open where the sheet ends, ends there (CSS Syntax, 4.3.5 and 4.3.6).
_ADDRESS: Final = (
    rb"""(?:"((?:[^"\\]++|\\.)*+)(?:"|\Z)|'((?:[^'\\]++|\\.)*+)(?:'|\Z)"""
    rb"""|((?:\\(?:[0-9a-f]{1,6}\s?|.)|[^\s"'()\\]++)++))"""
)
_GAP: Final = rb"(?:\s++|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
_IMPORT: Final = _compile(rb"@import" + _GAP + rb"(?:url\(\s*+)?" + _ADDRESS + rb"[^;]*+;?")
_URL: Final = _compile(rb"\b(?:url|src)\(\s*+" + _ADDRESS + rb"\s*+(?:\)|\Z)")
_IMAGE_SET: Final = _compile(rb"""image-set\((?:[^()"']|"[^"]*"|'[^']*'|\([^()]*\))*+\)""")
_STRING: Final = _compile(rb"""(?:"([^"]*)"|'([^']*)')""")
#: What an address may hold without quotes and without escapes.
_PLAIN_ADDRESS: Final = re.compile(rb"[\w.:/?&=%#~+,@!*$;-]+")
_ESCAPE: Final = _compile(rb"\\(?:([0-9a-f]{1,6})\s?|\r?\n|(.))")
_MAP_ENTRY: Final = re.compile(rb'"((?:[^"\\]|\\.)+)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def is_run(tag: Tag) -> bool:
    """Tell whether a browser runs (or obeys) the script."""
    given = tag.get(b"type")
    if given is None:
        language = tag.get(b"language")
        return not language or bool(RUNS.fullmatch(f"text/{language}"))
    return bool(RUNS.fullmatch(given.strip()))


def hold_script(tag: Tag, keys: list[str]) -> bytes:
    """Return the start tag of a script that does not run and remembers how it would have."""
    return tag.held(keys, {b"type", b"src"}, _PLAIN)


def hold_drawn_script(tag: Tag, keys: list[str], code: bytes = b"") -> bytes:
    """Return the start tag of a script in SVG that does not run, behind one that waits for it.

    A script of SVG cannot be released; in <desc> it is one of HTML, and nothing is drawn.
    """
    used = next((name for name in LINKS if tag.get(name) is not None), b"")
    waiting = tag.held(keys, {b"type", used}, _PLAIN, {used: b"src"})
    inert = b"" if tag.closes_itself else b"<script" + _PLAIN + tag.source[len(b"<script") :]
    if used and inert:
        inert = b"<script%s>" % _PLAIN
    return b"<desc>%s%s</script></desc>%s" % (waiting, code, inert)


def code_of_drawn(text: bytes) -> bytes | None:
    """Return what an inline script in SVG says; None where its mark-up is not text alone."""
    parts = _CDATA.split(text)
    try:
        plain = [html.unescape(part.decode("latin-1")).encode("latin-1") for part in parts[::2]]
    except UnicodeEncodeError:
        return None
    if any(b"<" in part for part in parts[::2]):
        return None
    parts[::2] = plain
    code = b"".join(parts)
    return None if _ENDS_SCRIPT.search(code) else code


def keys_of_script(
    tag: Tag, text: bytes, matcher: Matcher, names: dict[str, str | None]
) -> list[str]:
    """Return what an inline script waits for; `names` learns what the page's import maps say."""
    kind = (tag.get(b"type") or "").strip().lower()
    if kind != "importmap":
        return list(dict.fromkeys(matcher.keys_in(text) + matcher.keys_of_imports(text, names)))
    entries = [(one[1], one[2]) for one in _MAP_ENTRY.finditer(text)]
    found = {
        name.decode("latin-1"): matcher.key_of(address.decode("latin-1"))
        for name, address in entries
    }
    names.update(found)
    # A map serves the whole page: it is held only where all of it is a tracker's.
    keys = [key for key in found.values() if key]
    return list(dict.fromkeys(keys)) if len(keys) == len(found) else []


def hold_style(
    tag: Tag, text: bytes, matcher: Matcher, base: str, place: Place = "page"
) -> tuple[bytes, bytes, list[str]] | None:
    """Return the sheet without what it would load, what brings it back, and the keys.

    Browsers read ahead in every <style>, whatever its type, so the whole sheet stands
    in a held script, and what the page can be styled with meanwhile stays.
    """
    keys: dict[str, None] = {}

    def drop(found: re.Match[bytes], instead: bytes) -> bytes:
        address = next((group for group in found.groups() if group is not None), b"")
        key = matcher.key_of(_unescape(address), base)
        if key is None:
            return found[0]
        keys.update(dict.fromkeys(key.split()))
        return instead

    kept = _IMPORT.sub(lambda found: drop(found, b""), text)
    kept = _URL.sub(lambda found: drop(found, b"url(data:,)"), kept)
    kept = _IMAGE_SET.sub(
        lambda held: _STRING.sub(lambda found: drop(found, b'"data:,"'), held[0]), kept
    )
    if not keys:
        return None
    text = _IMPORT.sub(_spell_plainly, _URL.sub(_spell_plainly, text))
    if place == "root":
        # There a script does not know itself. The whole sheet comes behind what was kept of it.
        return kept, enclosed(tag.source + text + b"</style>", keys), list(keys)
    # The bytes of the page's own encoding stay as they are: only ASCII is escaped.
    sheet = json.dumps(text.decode("latin-1"), ensure_ascii=False).encode("latin-1")
    sheet = sheet.replace(b"<", b"\\u003c")
    nonce = next((a.written for a in tag.attributes if a.name == b"nonce"), None)
    script = (
        b'<script%s%s data-consent="%s">document.currentScript.%spreviousElementSibling'
        b".textContent=%s</script>"
        % (
            _PLAIN,
            b"" if nonce is None else b" nonce=" + nonce,
            " ".join(keys).encode(),
            b"parentNode." if place == "drawing" else b"",
            sheet,
        )
    )
    if place == "drawing":
        script = b"<desc>" + script + b"</desc>"
    return kept, script, list(keys)


def _spell_plainly(found: re.Match[bytes]) -> bytes:
    """Return the address without escapes, so that whoever reads the sheet later knows its host."""
    address = next((group for group in found.groups() if group is not None), b"")
    if b"\\" not in address:
        return found[0]
    plain = _unescape(address).encode("latin-1")
    return found[0].replace(address, plain) if _PLAIN_ADDRESS.fullmatch(plain) else found[0]


def _unescape(address: bytes) -> str:
    """Return what an address in a sheet says (CSS Syntax, 4.3.7)."""

    def read(found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return found[2] or b""
        number = int(found[1], 16)
        return bytes([number]) if number < 0x80 else b"?"

    return _ESCAPE.sub(read, address).decode("latin-1")

"""Addresses: read as a browser reads them, also those that hold what they load."""

from __future__ import annotations

import base64

import pytest

from .conftest import rewritten

_GA = b'data-consent="service:google-analytics"'
_FB = b'data-consent="service:meta-pixel"'


@pytest.mark.parametrize(
    "address",
    [
        b"data:text/javascript;base64," + base64.b64encode(b"fbq('init', '1')"),
        b"data:text/javascript; Base64 ," + base64.b64encode(b"fbq('init', '12')").rstrip(b"="),
        b"data:text/javascript,fbq(%27init%27,%271%27)",
        b"DATA:text/javascript,load(%22https:%2F%2Fconnect.facebook.net/x%22)",
    ],
)
def test_a_script_in_an_address_is_judged_by_what_it_says(address: bytes) -> None:
    held = b'<script type="text/plain" %s data-consent-src="%s">' % (_FB, address)
    assert rewritten(b'<script src="%s">' % address) == held
    picture = b'<img src="data:image/png;base64,%s">' % base64.b64encode(b"fbq('init')")
    assert rewritten(picture) == picture


@pytest.mark.parametrize(
    "address",
    [b"/\r/www.facebook.com/tr", b"HTTPS:/www.facebook.com/tr", b"http:www.facebook.com/tr"],
)
def test_an_address_with_too_few_slashes_names_its_host(address: bytes) -> None:
    assert rewritten(b'<img src="%s">' % address) == b'<img %s data-consent-src="%s">' % (
        _FB,
        address,
    )


def test_a_host_is_found_whose_first_label_is_put_before_it() -> None:
    page = b"<script>ga.src = (ssl ? 'https://ssl' : 'http://www') + '.google-analytics.com/ga.js'"
    assert rewritten(page) == page.replace(b"<script", b'<script type="text/plain" ' + _GA)


def test_what_a_base_sends_elsewhere_is_held() -> None:
    page = b"<base href=https://connect.facebook.net/x/><img src=tr.gif>"
    assert rewritten(page).endswith(b"<img %s data-consent-src=tr.gif>" % _FB)


@pytest.mark.parametrize(
    ("host", "held"),
    [
        (b"connect%2Efacebook%2enet", True),
        ("connect.ｆacebook.net".encode(), True),
        (b"connect.face&shy;book.net", True),
        (b"connect.facebook.net%2Eevil.example", False),
    ],
)
def test_a_host_is_read_as_a_browser_reads_it(host: bytes, held: bool) -> None:
    assert (_FB in rewritten(b"<img src=//%s/a>" % host)) is held

"""What the server's own pages say is spelled as the page's language spells it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browser.own_site import describe_service, describe_site
from tests.visitor import Visitor

HOME = "http://127.0.0.1:8000"
PERSON = {"Accept": "text/html"}
LANGUAGES = ["ar", "en", "fi"]


@pytest.fixture
def shop(admin: FlaskClient, client: FlaskClient) -> Visitor:
    """A visitor who allowed all on a site that announces a change."""
    words = dict.fromkeys(LANGUAGES, "Counts")
    items = (("cookie", "_one"), ("cookie", "_two"))
    services = [describe_service("counter", items, purpose=words)]
    announced = {"date": "2027-02-01", "text": dict.fromkeys(LANGUAGES, "Soon")}
    fields: dict[str, Any] = {"languages": LANGUAGES, "announcement": announced}
    site = describe_site(HOME, "shop", services, **fields)
    assert admin.put("/api/v1/sites/shop", json=site).status_code == 200
    visitor = Visitor(client, "shop")
    visitor.decide("counter")
    return visitor


def _post(shop: Visitor, **fields: str) -> str:
    form = {"subject_id": shop.subject_id, **fields}
    answer = shop.client.post("/w/shop/me", data=form, headers={"Origin": HOME}, base_url=HOME)
    assert answer.status_code == 200
    return answer.text


def _receipt(shop: Visitor) -> dict[str, Any]:
    [found] = json.loads(shop.read_decisions().text)["decisions"]
    return dict(found)


def _words(html: str) -> str:
    """Return what people read; addresses and styles have commas of their own."""
    body = html.partition("<body>")[2]
    return re.sub(r"<pre>.*?</pre>|<[^>]+>", "", body, flags=re.DOTALL)


def test_arabic_pages_part_words_by_the_arabic_comma(shop: Visitor) -> None:
    receipt = _post(shop, action="receipt", event_id=_receipt(shop)["event_id"])
    pages = {
        "record": _post(shop, action="show", language="ar"),
        "receipt": receipt,
        "choose": shop.client.get("/w/shop/choose?language=ar", base_url=HOME).text,
        "version": shop.client.get("/w/shop/versions/1?language=ar", headers=PERSON).text,
    }
    for name, page in pages.items():
        # The address of the company is written as its owner wrote it.
        words = _words(page).replace("Esimerkkikatu 1, 00100 Helsinki", "")
        assert 'dir="rtl"' in page, name
        assert "," not in words, (name, words[max(0, words.find(",") - 40) :][:80])
        if name != "version":
            assert "،" in words, name


@pytest.mark.parametrize(
    ("language", "day"), [("en", "February 1, 2027"), ("fi", "1. helmikuuta 2027")]
)
def test_the_days_of_an_announcement_are_spelled_in_words(
    shop: Visitor, language: str, day: str
) -> None:
    page = shop.client.get(f"/w/shop/versions/1?language={language}", headers=PERSON).text
    assert f'<time datetime="2027-02-01">{day}</time>' in page
    assert "2027-02-01" not in _words(page)


def test_a_receipt_tells_times_in_words_and_as_they_are_recorded(shop: Visitor) -> None:
    receipt = _receipt(shop)
    page = _post(shop, action="receipt", event_id=receipt["event_id"])
    for name in ("decided_at", "received_at", "valid_until"):
        exact = receipt[name]
        found = re.search(
            rf'<time datetime="{exact}">([^<]+)</time> <code[^>]*>{exact}</code>', page
        )
        assert found, name
        assert exact[:4] in found[1]
        assert "T" not in found[1]

"""Demo policies: each site's privacy page is the published policy, section by section."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.served_markup import read

SECTIONS = {
    "getjenny": [
        "General",
        "What does this Privacy Policy cover?",
        "To what purposes we may process your data?",
        "What information we may collect about you?",
        "Where do we gather your personal data from?",
        "Is your data shared with others?",
        "Is your data transferred to countries outside the European Union or the "
        "European Economic Area?",
        "Principles of securing the data",
        "How long do we process your Personal data?",
        "Your right of access, correction and prohibition",
        "Choice of law and the right to lodge a complaint to the supervisory authority "
        "and the contact details of the supervisory authority.",
        "Changes to this Privacy Policy",
    ],
    "jiminny": [
        "Personal Information We Collect",
        "How We Use Your Personal Information",
        "How We Share Information We Collect",
        "Your Rights",
        "Security",
        "Disputes relating to our Data Protection practices",
        "Children",
        "Amendments",
        "Additional Information for EEA and Switzerland Users",
    ],
    "jackbot": [
        "Rekisterinpitäjä",
        "Mihin tarkoitukseen henkilötietoja kerätään ja millä perusteella tietoja käsitellään?",
        "Mitä henkilötietoja kerätään ja käsitellään?",
        "Mistä tiedot ovat peräisin?",
        "Kuinka kauan tietoja säilytetään?",
        "Miten henkilötietoja säilytetään ja suojataan?",
        "Ketkä käsittelevät henkilötietoja kenelle tietoja luovutetaan?",
        "Siirretäänkö henkilötietoja EU:n ulkopuolelle?",
        "Käytetäänkö verkkosivuilla evästeitä ja mitä ne ovat?",
        "Mitkä ovat rekisteröidyn oikeudet?",
        "Selosteen muuttaminen",
    ],
    "smilee": [
        "1. Registeransvarig",
        "2. Kontaktperson angående register",
        "3. Registers namn och registrerade",
        "4. Avsikten för personuppgifters behandling",
        "5. Registers informationsinnehåll",
        "6. Registers informationskällor",
        "7. Grunderna för behandlingen av personuppgifter",
        "8. Att lämna ut personuppgifterna",
        "9. Överföring av data utanför EU/EES",
        "10. Lagringstiden för uppgifterna",
        "11. Principer för dataskydd",
        "12. Cookies",
        "13. Den registrerades rättigheter",
        "14. Begäran om registret",
        "15. Kravet på information",
    ],
    "ujet": [
        "Introduction",
        "Your Privacy",
        "UJET Service",
        "Personal Data We Collect, Process and How We Use It",
        "How We Use Your Personal Data",
        "How We Share Personal Data",
        "UJET Service Providers",
        "How to Access and Control Your Personal Data",
        "Other Important Privacy Information",
        "How to Contact Us",
    ],
}

# Words of the published texts: a page that has lost a paragraph falls below.
WORDS = {"getjenny": 1866, "jiminny": 3251, "jackbot": 699, "smilee": 1619, "ujet": 4185}

# What the product has to make true, in the policy's own words.
PROMISES = {
    "getjenny": "will post a notice advising of such change on GetJenny’s homepage for 30 days",
    "jiminny": "you have the right to withdraw it anytime in the manner indicated in the Service",
    "jackbot": "antaa suostumuksensa tai kieltää evästeiden käytön verkkoselaimensa asetuksista",
    "smilee": "då ska nätverkstjänsten och chattjänsten kanske inte fungera utan störningar",
    "ujet": "Our websites do not currently process or respond to “DNT” signals",
}

each_site = pytest.mark.parametrize("key", list(SECTIONS))


@each_site
def test_the_privacy_page_has_every_section_of_the_policy(client: FlaskClient, key: str) -> None:
    page = read(client.get(f"/demo/{key}/privacy").text)
    assert page.sections == SECTIONS[key]


@each_site
def test_the_privacy_page_holds_the_whole_text(client: FlaskClient, key: str) -> None:
    page = read(client.get(f"/demo/{key}/privacy").text)
    text = " ".join(" ".join(page.text).split())
    assert len(text.split()) >= WORDS[key]
    assert PROMISES[key] in text


@each_site
def test_the_contents_lead_to_the_sections(client: FlaskClient, key: str) -> None:
    page = read(client.get(f"/demo/{key}/privacy").text)
    contents = [link for link in page.links if link.startswith("#") and link != "#content"]
    assert len(contents) >= len(SECTIONS[key])
    assert {link.removeprefix("#") for link in contents} <= page.ids

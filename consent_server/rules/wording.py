"""Wording: what an owner's own words may not do to the visitor's choice.

No machine understands a sentence. What is read here are phrases that authorities and
courts have objected to, in the languages below; in others only length and places count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

#: Text that a site may replace -> the most characters that leave the answers on the first screen.
LONGEST: Final[Mapping[str, int]] = {
    "heading": 90,
    "body": 400,
    "policy": 60,
    "preferences_heading": 60,
    "preferences_body": 400,
    "always_on": 40,
    "held": 200,
}
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_PURPOSE = 40, 300, 400


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a phrase does, and the phrase in each language."""

    reason: str
    #: Language -> regular expression, read without regard to case.
    words: Mapping[str, str]


_REFUSED: Final = (
    Phrase(
        "Going on, using the site or closing the notice is no consent (GDPR article 4(11); EDPB "
        "Guidelines 05/2020, paragraph 86).",
        {
            "en": r"\bby (continuing|using|browsing|clos|scroll|visit)|"
            r"if you (continue|go on|keep)",
            "fi": r"\b(jatkamalla|käyttämällä|selaamalla|sulkemalla|vierittämällä)|jos jatkat",
            "sv": r"\bgenom att (fortsätta|använda|surfa|besöka|stänga|skrolla)|om du fortsätter",
            "de": r"\b(durch (die|das|den)|mit der) (weitere )?\w*(nutz|besuch|surfen|schließen)|"
            r"wenn sie (fortfahren|weiter)|indem sie (fortfahren|weiter)",
            "fr": r"\ben (continuant|poursuivant|naviguant|fermant|utilisant)|si vous continuez",
            "es": r"\bal (continuar|seguir|navegar|cerrar|usar|utilizar)|si (continúa|sigue)",
        },
    ),
    Phrase(
        "Nobody must consent: consent that is a condition is not free (GDPR articles 4(11) and "
        "7(4)).",
        {
            "en": r"\b(must|have to|need to|required to|please) (accept|agree|consent|allow)",
            "fi": r"\b(täytyy|pitää|on pakko) (hyväksy|sallia|suostua)|hyväksyttävä|"
            r"edellyttää (hyväksy|suostu)|hyväksythän|ole hyvä ja hyväksy",
            "sv": r"\b(måste|behöver) (du )?(godkänna|acceptera|tillåta|samtycka)|"
            r"(vänligen|snälla) (godkänn|acceptera)",
            "de": r"\b(müssen|haben) (sie )?.{0,40}(zustimmen|akzeptieren|einwilligen)|"
            r"bitte (akzeptieren|stimmen|willigen)",
            "fr": r"\b(devez|faut|obligatoire d.|veuillez|merci d.) ?"
            r"(accepter|consentir|autoriser)",
            "es": r"\b(debe|debes|tiene que|tienes que|es necesario) (aceptar|consentir|permitir)|"
            r"por favor,? acept",
        },
    ),
    Phrase(
        "Playing on feelings or threatening a loss steers the choice (EDPB Guidelines 03/2022, "
        "emotional steering).",
        {
            "en": r"\bare you sure|miss(ing)? out|you('ll| will) (lose|miss)|sad to|sorry to|"
            r"support us|help us (out|by)|don.t be",
            "fi": r"\boletko varma|menetät|jäät paitsi|harmi|tue meitä|auta meitä",
            "sv": r"\bär du säker|gå(r)? miste|missar|tråkigt|stöd oss|hjälp oss",
            "de": r"\bsind sie sicher|verpassen|entgeht ihnen|schade|"
            r"(unterstützen|helfen) sie uns",
            "fr": r"\bêtes-vous sûr|(manquerez|perdrez|raterez|passerez à côté)|dommage|"
            r"soutenez-nous|aidez-nous",
            "es": r"\bestá(s)? segur|se perderá|te perderás|lástima|apóy(a|e)nos|ayúd(a|e)nos",
        },
    ),
    Phrase(
        "A notice asks for more than what is necessary, so it may not say that only this is used "
        "(GDPR article 5(1)(a); EDPB Cookie Banner Taskforce 2023, type I).",
        {
            "en": r"\b(only|just) (uses?|sets?|stores?) (\w+ )?(necessary|essential|technical)|"
            r"\b(uses?|sets?|stores?) (only|just) (\w+ )?(necessary|essential|technical)",
            "fi": r"\b(käytämme|käyttää) (vain|ainoastaan) (välttämät|tekni)",
            "sv": r"\b(använder|sätter) (vi )?(bara|endast|enbart) (nödvändig|teknisk)",
            "de": r"(?<!nicht )\b(nur|ausschließlich|lediglich) (technisch )?"
            r"(notwendige|erforderliche|essenzielle)",
            "fr": r"utilisons (uniquement|seulement)|n.utilisons que",
            "es": r"\b(solo|sólo|únicamente|solamente) (usamos|utilizamos)",
        },
    ),
)

#: Praise instead of a question: no infringement by itself, and what courts have frowned on.
_DOUBTFUL: Final = Phrase(
    "This praises instead of asking. Say what is asked, by whom and for what (GDPR article "
    "7(2); VG Hannover, 10 A 5385/22, on wording such as “optimal experience”).",
    {
        "en": r"\b(value|respect|care about) your privacy|privacy (matters|is important)|"
        r"\b(best|optimal|better|enhance|improve) (possible |your )?\w* ?experience",
        "fi": r"\b(arvostamme|kunnioitamme) yksityisyyttäsi|yksityisyytesi on|"
        r"(paras|parhaan|paremman) (mahdollisen |mahdollinen )?(käyttö)?kokemu",
        "sv": r"\b(värnar|bryr oss) om din|(din integritet|ditt privatliv) är|"
        r"(bästa|bättre|optimal) (möjliga )?(användar)?upplevelse",
        "de": r"\bschätzen (wir )?ihre privatsphäre|privatsphäre ist uns|"
        r"(bestmöglich|optimal|besser)\w* \w*(erlebnis|erfahrung)",
        "fr": r"\b(respectons|soucions de) votre vie privée|vie privée (est|nous)|"
        r"(meilleure|optimale?) (\w+ )?expérience",
        "es": r"\b(valoramos|respetamos|nos importa) (tu|su) privacidad|"
        r"(mejor|óptima) (\w+ )?experiencia",
    },
)

#: What is necessary by its name: an optional category may not be called so.
_NECESSARY: Final[Mapping[str, str]] = {
    "en": r"\b(strictly )?(necessary|essential|required|mandatory|technical)\b",
    "fi": r"välttämät|pakolli|tarpeelli|tekni(se|nen)",
    "sv": r"\bnödvändig|\btekniskt?\b|\bobligatorisk|\bväsentlig",
    "de": r"notwendig|erforderlich|essenziell|essentiell|\btechnisch|unbedingt",
    "fr": r"nécessaire|essentiel|obligatoire|indispensable|\btechnique",
    "es": r"necesari|esencial|obligatori|imprescindible|\btécnic",
}

Finding = tuple[str, str]


def refuse_words(language: str, key: str, text: str) -> Iterator[str]:
    """Say what is wrong with a text that replaces the notice's own."""
    yield from refuse_length(text, LONGEST[key])
    for phrase in _REFUSED:
        found = _find(phrase.words, language, text)
        if found:
            yield f"“{found}”: {phrase.reason}"


def refuse_length(text: str, longest: int) -> Iterator[str]:
    """Say when a text would push the answers off the first screen."""
    if len(text) > longest:
        yield (
            f"{len(text)} characters; at most {longest}, so that the answers stay in sight "
            "(EDPB Guidelines 03/2022, overloading; GDPR article 12(1), concise)."
        )


def doubt_words(language: str, text: str) -> str | None:
    """Say what an authority may dislike in a text that is not refused."""
    found = _find(_DOUBTFUL.words, language, text)
    return f"“{found}”: {_DOUBTFUL.reason}" if found else None


def sounds_necessary(language: str, name: str) -> bool:
    """Whether the name of an optional category claims that it is necessary."""
    return _find(_NECESSARY, language, name) is not None


def _find(words: Mapping[str, str], language: str, text: str) -> str | None:
    pattern = words.get(language.partition("-")[0])
    straight = " ".join(text.replace("’", "'").split())
    found = re.search(pattern, straight, re.IGNORECASE) if pattern else None
    return found[0] if found else None

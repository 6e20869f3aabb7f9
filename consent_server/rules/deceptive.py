"""Deceptive fields: what other consent managers let an owner set, and why it is refused here.

There are no such fields. Whoever brings them from elsewhere is told the law they break
instead of "Unknown field.".
"""

from __future__ import annotations

import re
from typing import Final

_EQUAL: Final = (
    "Accepting and refusing look the same here, down to the last computed style; there is one "
    "look for both (GDPR article 7(3); EDPB Cookie Banner Taskforce 2023, types C, D and E)."
)
_FIRST_LAYER: Final = (
    "Refusing stands beside accepting on every layer and cannot be hidden, moved or delayed "
    "(EDPB Cookie Banner Taskforce 2023, type A; ePrivacy article 5(3))."
)
_PRE_TICKED: Final = (
    "Everything optional is off until the visitor switches it on (GDPR article 4(11); CJEU "
    "C-673/17 Planet49; EDPB Cookie Banner Taskforce 2023, type B)."
)
WITHDRAWAL: Final = (
    "The way to withdraw is on every page: a round button, or an element of yours with "
    "data-consent-open (GDPR article 7(3); EDPB Cookie Banner Taskforce 2023, type K)."
)
_OWN_STYLES: Final = (
    "Styles or mark-up of your own could hide the refusal, shrink it or move it off the screen "
    "(EDPB Guidelines 03/2022, hidden in plain sight). `[theme]` has the looks that are possible."
)
PLACE: Final = (
    "The notice cannot be made smaller or be moved off the screen (EDPB Guidelines 03/2022, "
    "hidden in plain sight). `theme.form` and `theme.position` say where it is."
)
_WALL: Final = (
    "The page stays usable while the visitor is asked: a wall makes consent the price of it "
    "(GDPR article 7(4); EDPB Guidelines 05/2020, paragraph 39)."
)
_NO_ACT: Final = (
    "Only pressing the button grants: scrolling, waiting, going on or closing is no consent "
    "(GDPR article 4(11); EDPB Guidelines 05/2020, paragraph 86)."
)
PROMPTING: Final = (
    "A refusal holds as long as a consent, at least 180 days; asking earlier wears visitors "
    "down (EDPB Guidelines 03/2022, continuous prompting). `valid_days` is for both."
)
OUTLIVED: Final = (
    "A choice of long ago is no unambiguous one any more: 13 months is the longest that "
    "authorities take (GDPR article 4(11); EDPB Guidelines 05/2020, paragraph 110; CNIL)."
)
UNREADABLE: Final = (
    "Small print hides what is asked (EDPB Guidelines 03/2022, hidden in plain sight; GDPR "
    "article 7(2), intelligible and easily accessible). `theme.text_size` makes it larger."
)

#: Words that occur in a field's name -> why there is no such field. The first that fits counts.
_REASONS: Final = tuple(
    (re.compile(words), reason)
    for words, reason in (
        (r"hid(e|den)|(show|without)_(reject|refus|declin)", _FIRST_LAYER),
        (r"(reject|refus|declin|deny)\w*_(layer|delay|hidden|after)", _FIRST_LAYER),
        (r"ask_(every|after|refus|daily|often)|repeat", PROMPTING),
        (r"(reject|refus|deny)\w*_(days|valid|expir)", PROMPTING),
        (r"auto|implied|(accept|grant|consent)\w*_(on|by|after)_", _NO_ACT),
        (r"on_(scroll|close|escape|timeout)|(scroll|close)_(accept|grant)", _NO_ACT),
        (r"accept|reject|refus|declin|deny", _EQUAL),
        (r"primary|secondary|emphasi|highlight|prominen", _EQUAL),
        (r"default|check|tick|select|enabled|^on$", _PRE_TICKED),
        (r"lock|wall|overlay|modal|force|backdrop|blur", _WALL),
        (r"entry|withdraw|revoke|floating|reopen", WITHDRAWAL),
        (r"css|style|html|class|script|template", _OWN_STYLES),
        (r"width|height|offset|margin|opacity|index|display|visib|scale|zoom", PLACE),
        (r"left|right|top|bottom", PLACE),
        (r"font|size|small|tiny", UNREADABLE),
    )
)


def reason_to_refuse(field: str) -> str | None:
    """Return why no honest notice has a field of this name; None for a mere misspelling."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).replace("-", "_").lower()
    return next((reason for words, reason in _REASONS if words.search(name)), None)

"""Durations: a number of days, months or years in words, as each language counts them."""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale
from babel.units import format_unit

#: Where CLDR abbreviates in its long form, or has English letters. Forms of a number by
#: the plural category of CLDR; "other" stands for those that are left out.
_OWN: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "ga": {
        "year": {
            "one": "{n} bhliain",
            "two": "{n} bhliain",
            "few": "{n} bliana",
            "many": "{n} mbliana",
            "other": "{n} bliain",
        },
        "week": {
            "one": "{n} seachtain",
            "two": "{n} sheachtain",
            "few": "{n} seachtaine",
            "many": "{n} seachtaine",
            "other": "{n} seachtain",
        },
        "hour": {
            "few": "{n} huaire an chloig",
            "many": "{n} n-uaire an chloig",
            "other": "{n} uair an chloig",
        },
        "minute": {"other": "{n} nóiméad"},
    },
    "mt": {
        "year": {
            "one": "sena",
            "two": "sentejn",
            "few": "{n} snin",
            "many": "{n}-il sena",
            "other": "{n} sena",
        },
        "month": {
            "one": "xahar",
            "two": "xahrejn",
            "few": "{n} xhur",
            "many": "{n}-il xahar",
            "other": "{n} xahar",
        },
        "week": {
            "one": "ġimgħa",
            "two": "ġimagħtejn",
            "few": "{n} ġimgħat",
            "many": "{n}-il ġimgħa",
            "other": "{n} ġimgħa",
        },
        "day": {
            "one": "jum",
            "two": "jumejn",
            "few": "{n} ijiem",
            "many": "{n}-il jum",
            "other": "{n} jum",
        },
        "hour": {
            "one": "siegħa",
            "two": "sagħtejn",
            "few": "{n} sigħat",
            "many": "{n}-il siegħa",
            "other": "{n} siegħa",
        },
        "minute": {
            "one": "minuta",
            "two": "żewġ minuti",
            "few": "{n} minuti",
            "many": "{n}-il minuta",
            "other": "{n} minuta",
        },
    },
}


def spell_duration(language: str, number: int, unit: str) -> str:
    """Return e.g. "13 months"; `unit` is minute, hour, day, week, month or year."""
    forms = _OWN.get(language, {}).get(unit)
    if forms is None:
        return format_unit(number, f"duration-{unit}", length="long", locale=language)
    category = Locale.parse(language).plural_form(number)
    return forms.get(category, forms["other"]).replace("{n}", str(number))

"""Site files: the form of a site's description, checked with marshmallow.

Form only; what a well-formed description means is checked in `site_check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, pre_load, validate

from consent_server.connector_form import ConsentModeForm, connector_field
from consent_server.errors import InvalidForm
from consent_server.forms import (
    LANGUAGE_PATTERN,
    LINK_PATTERN,
    HonestForm,
    Map,
    StrictBoolean,
    StrictForm,
    WholeNumber,
    flatten_errors,
    host_field,
    key_field,
    language_field,
    lifetime_field,
    link_field,
    matching,
    one_of,
    origin_field,
    path_field,
    text,
    words,
)
from consent_server.rules.children import ALWAYS, NONE, PAGES
from consent_server.rules.compatible import PRODUCTS
from consent_server.rules.deceptive import OUTLIVED, PROMPTING
from consent_server.rules.lifetime import MEASURED_PATTERN
from consent_server.rules.regimes import BY_REGION, Regime
from consent_server.theme_form import ThemeForm

_COUNTRY: Final = r"^[A-Z]{2}$"
_EMAIL: Final = r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+\.[^@\x00-\x20\x7f]+$"
_POLICY_LANGUAGE: Final = f"^$|{LANGUAGE_PATTERN}"
_FOREIGN_NAME: Final = r"^[A-Za-z0-9_-]{1,60}$"
_ID: Final = r"^[A-Za-z0-9_-]{1,60}$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DOMAIN: Final = r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$"
_REGION: Final = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
_REGIMES: Final = [str(regime) for regime in Regime]


class ControllerForm(StrictForm):
    """The legal person responsible for the site (GDPR article 13(1)(a))."""

    name = text(required=True, maximum=200)
    address = text(required=True, maximum=300)
    country = matching(_COUNTRY, "a two-letter country code such as FI", required=True)
    email = matching(_EMAIL, "an e-mail address", required=True)
    phone = text(maximum=60)
    registration = text(maximum=60)


class DataProtectionForm(StrictForm):
    """Whom to ask about personal data (GDPR article 13(1)(b))."""

    name = text(maximum=200)
    role = text(maximum=200)
    email = matching(_EMAIL, "an e-mail address", required=True)


class AuthorityForm(StrictForm):
    """Where a visitor may complain (GDPR article 13(2)(d))."""

    name = text(required=True, maximum=200)
    url = link_field(required=True)


class LinksForm(HonestForm):
    """Pages of the site that the notice points to."""

    policy = Map(
        keys=matching(_POLICY_LANGUAGE, "a language tag such as fi"),
        values=link_field(required=True),
        required=True,
        metadata={
            "type": ["object", "string"],
            "pattern": LINK_PATTERN,
            "description": "One address for all languages, or one address for each.",
        },
    )
    archive = link_field()

    @pre_load
    def spread_policy(self, data: Any, **_kwargs: Any) -> Any:
        """Let one address stand for every language."""
        if isinstance(data, Mapping) and isinstance(data.get("policy"), str):
            return {**data, "policy": {"": data["policy"]}}
        return data


class AnnouncementForm(StrictForm):
    """A change that is coming, told beforehand; nobody is asked anything."""

    date = matching(_DATE, 'the day of the change, such as "2027-02-01"', required=True)
    days = WholeNumber(load_default=30, validate=validate.Range(1, 180))
    text = words(required=True)


class CategoryForm(HonestForm):
    """A category as the visitor decides on it."""

    key = key_field(required=True)
    name = words(load_default=dict)
    description = words(load_default=dict)


class ProviderForm(StrictForm):
    """Who provides a service that the catalogue does not hold."""

    name = text(required=True, maximum=200)
    country = matching(_COUNTRY, "a two-letter country code such as FI", required=True)
    address = text(maximum=300)
    policy = link_field(required=True)
    transfers = fields.List(
        matching(_COUNTRY, "a two-letter country code such as US"), load_default=list
    )


class ItemForm(StrictForm):
    """A cookie or storage item of a service that the catalogue does not hold."""

    kind = fields.String(
        load_default="cookie",
        validate=validate.OneOf(
            ["cookie", "local_storage", "session_storage", "indexed_db", "cache_storage"]
        ),
    )
    name = text(required=True, maximum=120)
    lifetime = lifetime_field(required=True)
    purpose = words(load_default=dict)


class ServiceForm(HonestForm):
    """A tool that the site uses: from the catalogue, or described in full."""

    use = key_field()
    key = key_field()
    name = text(maximum=80)
    category = key_field()
    legal_basis = fields.String(
        load_default="consent",
        validate=validate.OneOf(["consent", "contract", "legal_obligation", "legitimate_interest"]),
    )
    retention = lifetime_field(required=True)
    justification = text()
    purpose = words(load_default=dict)
    provider = fields.Nested(ProviderForm)
    items = fields.List(fields.Nested(ItemForm), load_default=list)
    hosts = fields.List(host_field(), load_default=list, validate=validate.Length(max=50))
    paths = fields.List(path_field(), load_default=list, validate=validate.Length(max=50))
    connector = connector_field()
    ids = fields.List(
        matching(_ID, "an id such as G-ABC123"), load_default=list, validate=validate.Length(max=20)
    )


def categories_field() -> fields.List[str]:
    """Return a field that names categories; None where the site does not say."""
    return fields.List(
        key_field(), load_default=None, allow_none=True, validate=validate.Length(max=20)
    )


class SiteForm(HonestForm):
    """A site file."""

    key = key_field(required=True)
    name = text(required=True, maximum=80)
    origins = fields.List(origin_field(), required=True, validate=validate.Length(1, 50))
    languages = fields.List(language_field(), required=True, validate=validate.Length(1, 40))
    cookie_domain = matching(
        _DOMAIN, 'a domain such as "example.com", or "" for this host only', load_default=""
    )
    hand_over = fields.List(origin_field(), load_default=list, validate=validate.Length(max=50))
    identify = StrictBoolean(load_default=False)
    regime = fields.String(load_default="opt_in", validate=validate.OneOf([*_REGIMES, BY_REGION]))
    regions = Map(
        keys=matching(_REGION, 'a country or a part of one, such as "GB" or "US-CA"'),
        values=fields.String(required=True, validate=validate.OneOf(_REGIMES)),
        load_default=dict,
    )
    sold_or_shared = categories_field()
    sensitive = categories_field()
    exempt = categories_field()
    do_not_track = StrictBoolean(load_default=True)
    children = one_of(NONE, PAGES, ALWAYS)
    blocking = fields.String(
        load_default="declared", validate=validate.OneOf(["declared", "gate", "strict"])
    )
    allowed_hosts = fields.List(host_field(), load_default=list, validate=validate.Length(max=200))
    valid_days = WholeNumber(
        load_default=180,
        validate=[
            validate.Range(min=180, error=f"At least {{min}} days. {PROMPTING}"),
            validate.Range(max=390, error=f"At most {{max}} days. {OUTLIVED}"),
        ],
    )
    ask_again = text(maximum=40)
    controller = fields.Nested(ControllerForm, required=True)
    data_protection = fields.Nested(DataProtectionForm, load_default=None, allow_none=True)
    supervisory_authority = fields.Nested(AuthorityForm, required=True)
    links = fields.Nested(LinksForm, required=True)
    compatible = fields.List(fields.String(validate=validate.OneOf(PRODUCTS)), load_default=list)
    compatible_names = Map(
        keys=matching(_FOREIGN_NAME, "a name of 1 to 60 letters, digits, _ or -"),
        values=key_field(required=True),
        load_default=dict,
    )
    import_decisions = StrictBoolean(load_default=False)
    gpp = StrictBoolean(load_default=False)
    keep_records = matching(
        f"^$|{MEASURED_PATTERN}", 'a time such as "2y", or "" to keep them', load_default=""
    )
    theme = fields.Nested(ThemeForm, load_default=lambda: ThemeForm().load({}))
    categories = fields.List(
        fields.Nested(CategoryForm), required=True, validate=validate.Length(1, 20)
    )
    services = fields.List(
        fields.Nested(ServiceForm), required=True, validate=validate.Length(0, 200)
    )
    signals = fields.List(
        fields.String(validate=validate.OneOf(["google_consent_mode", "data_layer"])),
        load_default=list,
    )
    consent_mode = fields.Nested(ConsentModeForm, load_default=lambda: ConsentModeForm().load({}))
    announcement = fields.Nested(AnnouncementForm, load_default=None, allow_none=True)
    texts = Map(
        keys=language_field(),
        values=Map(keys=fields.String(), values=text(required=True)),
        load_default=dict,
    )


def load_site_form(data: Any) -> dict[str, Any]:
    """Check the form of a parsed site description and fill in the defaults.

    Raises InvalidForm whose `errors` are field paths ("services.2.retention")
    with what is wrong there.
    """
    try:
        loaded: dict[str, Any] = SiteForm().load(data)
    except ValidationError as error:
        found = flatten_errors(error.messages)
        raise InvalidForm(
            f"The site description has {len(found)} wrong or missing "
            f"{'field' if len(found) == 1 else 'fields'}.",
            errors=found,
        ) from error
    return loaded

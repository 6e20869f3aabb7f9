"""Forms: the fields that every description is made of, refusing what is not documented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from consent_server.rules.deceptive import reason_to_refuse
from consent_server.rules.lifetime import LIFETIME_PATTERN

KEY_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,39}$"
LANGUAGE_PATTERN: Final = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"
#: A path, https, or http on this machine; nothing that browsers would read as another host.
LINK_PATTERN: Final = (
    r"^(/([^/\x00-\x20\x5c\x7f][^\x00-\x20\x5c\x7f]*)?"
    r"|(https://[^/?#@\[\]\x00-\x20\x5c\x7f]+|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?)"
    r"([/?#][^\x00-\x20\x5c\x7f]*)?)$"
)
_ORIGIN: Final = (
    r"^(https://[a-z0-9_-]+(\.[a-z0-9_-]+)*|http://(127\.0\.0\.1|localhost))(:[1-9][0-9]{0,4})?$"
)
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_HOST: Final = rf"^(\*\.)?{_LABEL}(\.{_LABEL})+$"
_PATH: Final = rf"^{_LABEL}(\.{_LABEL})+/[^?#*\x00-\x20\x7f]+$"
#: What people can read and every database can keep: no control characters.
_READABLE: Final = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
_EXPECTED_LINK: Final = 'Expected a path such as "/privacy" or an https address.'
_MAX_TEXT, _MAX_LINK = 2_000, 300


class StrictForm(Schema):
    """Base of every form: unknown fields are refused."""

    class Meta:
        """Refuse what is not documented."""

        unknown = RAISE


class HonestForm(StrictForm):
    """A form whose unknown fields are told the law, where their names are known to break one."""

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Replace marshmallow's "Unknown field." where there is more to say."""
        messages: dict[str, Any] = error.messages_dict
        for name in set(messages) - set(self.fields):
            reason = reason_to_refuse(str(name))
            if reason:
                messages[name] = [reason]


class StrictBoolean(fields.Boolean):
    """Only JSON's true and false; never "yes" or 1."""

    truthy = {True}  # noqa: RUF012 (marshmallow reads it from the class)
    falsy = {False}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Map(fields.Dict):
    """A table with names of the caller's choice; its errors are told by those names."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            # A field may be called "key" or "value" itself: no step of ours may be.
            found = {
                name: said.get("key") or said["value"] for name, said in error.messages.items()
            }
            raise ValidationError(found) from error


class WholeMatch(validate.Regexp):
    """A pattern for the whole text: `$` alone would let a line end through."""

    def __call__(self, value: Any) -> Any:
        """Refuse what the pattern does not cover to its end."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self.error)
        return value


def whole(pattern: str, message: str) -> WholeMatch:
    """Return a rule that the OpenAPI document repeats as it is."""
    return WholeMatch(re.compile(pattern, re.ASCII), error=message)


class WholeNumber(fields.Integer):
    """A JSON number without a fraction: 1 and 1.0 are the same number, "1" and true are none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value % 1:
            raise self.make_error("invalid", input=value)
        return int(value)


def text(*, required: bool = False, maximum: int = _MAX_TEXT) -> fields.String:
    """Return a field for words that people read."""
    readable = whole(_READABLE, "Leave out control characters.")
    least = 1 if required else 0
    options: dict[str, Any] = {"validate": [validate.Length(least, maximum), readable]}
    return (
        fields.String(required=True, **options)
        if required
        else fields.String(load_default="", **options)
    )


def matching(pattern: str, expected: str, **options: Any) -> fields.String:
    """Return a field for text of one form; `expected` completes "Expected ..."."""
    return fields.String(validate=whole(pattern, f"Expected {expected}."), **options)


def one_of(*choices: str, error: str = "") -> fields.String:
    """Return a field for one of these words, the first where none is given."""
    told = f"Must be one of: {', '.join(choices)}."
    validator = validate.OneOf(choices, error=f"{told} {error}".strip())
    return fields.String(load_default=choices[0], validate=validator)


def key_field(**options: Any) -> fields.String:
    """Return a field for a site, category or service key."""
    return matching(KEY_PATTERN, "1 to 40 of a-z, 0-9 and -, not starting with -", **options)


def language_field() -> fields.String:
    """Return a field for a language tag."""
    return matching(LANGUAGE_PATTERN, "a language tag such as fi")


def lifetime_field(**options: Any) -> fields.String:
    """Return a field for how long something is kept."""
    return matching(
        LIFETIME_PATTERN,
        'a lifetime such as "30min", "24h", "7d", "14mo", "2y", "session" or "persistent"',
        **options,
    )


def origin_field() -> fields.String:
    """Return a field for an origin as browsers send it (RFC 6454, 6.2)."""
    return matching(
        _ORIGIN,
        'an origin such as "https://www.example.com": lower case, without a path, '
        "and http only for 127.0.0.1 and localhost",
    )


def host_field() -> fields.String:
    """Return a field for a host, or with *. for every host below one."""
    return matching(_HOST, 'a host such as "cdn.example.com" or "*.example.com", lower case')


def path_field() -> fields.String:
    """Return a field for a host with the beginning of a path."""
    return matching(_PATH, 'a host and a path such as "www.example.com/tag.js"')


def link_field(*, required: bool = False) -> fields.String:
    """Return a field for a path on the site or an https address."""
    if required:
        rules = [validate.Length(1, _MAX_LINK), whole(LINK_PATTERN, _EXPECTED_LINK)]
        return fields.String(required=True, validate=rules)
    rules = [validate.Length(0, _MAX_LINK), whole(f"^$|{LINK_PATTERN}", _EXPECTED_LINK)]
    return fields.String(load_default="", validate=rules)


def words(**options: Any) -> Map:
    """Return a field for one text in several languages: language -> text."""
    return Map(
        keys=language_field(),
        values=text(required=True),
        **options,
    )


def flatten_errors(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Turn marshmallow's nested messages into field path -> messages."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in messages.items():
            for where, what in flatten_errors(inner, f"{path}.{name}".lstrip(".")).items():
                flat.setdefault(where, []).extend(what)
        return flat
    if isinstance(messages, (list, tuple)):
        return {path or "(whole)": [str(m) for m in messages]}
    return {path or "(whole)": [str(messages)]}

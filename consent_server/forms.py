"""Forms: the fields that every description is made of, refusing what is not documented."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from consent_server.rules.lifetime import parse_lifetime

KEY_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,39}$"
LANGUAGE_PATTERN: Final = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"
_MAX_TEXT = 2_000
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class StrictForm(Schema):
    """Base of every form: unknown fields are refused."""

    class Meta:
        """Refuse what is not documented."""

        unknown = RAISE


class StrictBoolean(fields.Boolean):
    """Only JSON's true and false; never "yes" or 1."""

    truthy = {True}  # noqa: RUF012 (marshmallow reads it from the class)
    falsy = {False}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def text(*, required: bool = False, maximum: int = _MAX_TEXT) -> fields.String:
    """Return a field for words that people read."""
    least = 1 if required else 0
    options: dict[str, Any] = {"validate": [validate.Length(least, maximum), check_readable]}
    return (
        fields.String(required=True, **options)
        if required
        else fields.String(load_default="", **options)
    )


class WholeMatch(validate.Regexp):
    """A pattern for the whole text: `$` alone would let a line end through."""

    def __call__(self, value: Any) -> Any:
        """Refuse what the pattern does not cover to its end."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self.error)
        return value


def check_readable(value: str) -> None:
    """Refuse characters that nobody can read and some databases cannot keep."""
    if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" for c in value):
        raise ValidationError("Leave out control characters and lone surrogates.")


def matching(pattern: str, expected: str, **options: Any) -> fields.String:
    """Return a field for text of one form; `expected` completes "Expected ..."."""
    rule = WholeMatch(re.compile(pattern, re.ASCII), error=f"Expected {expected}.")
    return fields.String(validate=rule, **options)


def key_field(**options: Any) -> fields.String:
    """Return a field for a site, category or service key."""
    return matching(KEY_PATTERN, "1 to 40 of a-z, 0-9 and -, not starting with -", **options)


def check_lifetime(value: str) -> None:
    """Refuse what is no lifetime."""
    if value and parse_lifetime(value) is None:
        raise ValidationError(
            'Expected a lifetime such as "30min", "24h", "7d", "14mo", "2y", "session" '
            'or "persistent".'
        )


def check_origin(value: str) -> None:
    """Refuse what is no origin as browsers send it (RFC 6454, 6.2)."""
    parts = _split_address(value)
    if parts is None or f"{parts.scheme}://{parts.netloc}" != value or value != value.lower():
        raise ValidationError('Expected an origin such as "https://www.example.com".')
    if "*" in value or "@" in value or not value.isascii():
        raise ValidationError("Expected one host, spelled as browsers send it (xn--...).")
    loopback = parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValidationError("Expected https (http only for 127.0.0.1 and localhost).")


def check_link(value: str) -> None:
    """Refuse links that are neither a path on the site nor an https address."""
    if not value:
        return
    parts = _split_address(value)
    if parts is not None:
        path = value.startswith("/") and not value.startswith("//")
        secure = parts.scheme == "https" and bool(parts.hostname)
        if path or secure or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            return
    raise ValidationError('Expected a path such as "/privacy" or an https address.')


def _split_address(value: str) -> SplitResult | None:
    """Return the parts of an address, or None where browsers would read another one."""
    if any(character <= " " or character in "\\\x7f" for character in value):
        return None
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (reading it checks it)
    except ValueError:
        return None
    return parts


def words(**options: Any) -> fields.Dict:
    """Return a field for one text in several languages: language -> text."""
    return fields.Dict(
        keys=matching(LANGUAGE_PATTERN, "a language tag such as fi"),
        values=text(required=True),
        **options,
    )


def flatten_errors(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Turn marshmallow's nested messages into field path -> messages."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in messages.items():
            # Dict fields put their errors under "value" and "key".
            step = path if name in {"value", "key"} and path else f"{path}.{name}".lstrip(".")
            for where, what in flatten_errors(inner, str(step)).items():
                flat.setdefault(where, []).extend(what)
        return flat
    if isinstance(messages, (list, tuple)):
        return {path or "(whole)": [str(m) for m in messages]}
    return {path or "(whole)": [str(messages)]}

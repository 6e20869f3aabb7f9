"""Bodies: JSON with one meaning (RFC 7493), whatever a client may send."""

from __future__ import annotations

import json
import math
from typing import IO, Any, NoReturn, cast

from flask import Request
from flask_smorest import Blueprint
from marshmallow import RAISE
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

#: More than any integer that JSON carries safely (RFC 7493, 2.2).
_MAX_DIGITS = 20


class BoundedRequest(Request):
    """A request whose body is read to its end or refused, whichever way its length is told."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body; reading all of it raises RequestEntityTooLarge where it is too long."""
        limit = self.max_content_length
        if self.content_length is not None or limit is None:
            return super().stream
        if "wsgi.input_terminated" not in self.environ:
            return super().stream
        return cast(IO[bytes], _WholeStream(self.environ["wsgi.input"], limit, is_max=True))


class _WholeStream(LimitedStream):
    """A body of unknown length, of which no beginning is taken for the whole."""

    def readall(self) -> bytes:
        body = super().readall()
        # Werkzeug stops at the limit, and what it returned may be good JSON.
        if self.is_exhausted and self._stream.read(1):
            self.on_exhausted()
        return body


class BodyParser(FlaskParser):
    """Reads requests for every route; refuses what two readers could read differently."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012 (webargs reads it from the class)

    def _raw_load_json(self, req: Request) -> Any:
        if req.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaType("Send the body uncompressed, without Content-Encoding.")
        return read_json(req.get_data(cache=True))


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint whose routes read their requests with BodyParser."""

    ARGUMENTS_PARSER = BodyParser()


def read_json(body: bytes) -> Any:
    """Return the value that `body` spells; raises BadRequest.

    Duplicate names, NaN and lone surrogates are refused (RFC 7493, 2): what was
    checked here must be what is hashed and what others read later.
    """
    if not body.strip():
        raise BadRequest("The body is empty. Send one JSON object.")
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_read_integer,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise BadRequest("The body is not UTF-8, or holds a lone surrogate.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _read_integer(digits: str) -> int | float:
    """Return a whole number; of one that no field takes, its size (RFC 8259, 6)."""
    if len(digits) <= _MAX_DIGITS:
        return int(digits)
    size = float(digits)
    if math.isinf(size):
        raise ValueError("a number is larger than can be read")
    return size


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")

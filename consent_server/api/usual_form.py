"""The usual form: decisions as the widget spells them, read without the long check.

What is read here is read the same by `DecisionSchema`; what is not may still be a decision,
and is then read by that, which also says what is wrong with one that is none.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from uuid import UUID

from consent_server.api.schemas import MAX_GRANTS, MAX_VERSION, UUID_PATTERN, DecisionSchema
from consent_server.forms import KEY_PATTERN
from consent_server.rules.decision import COPYING, SUBJECT_ID, Decision, Layer, Method, Signal
from consent_server.rules.times import NotATime, parse_time
from consent_server.rules.unasked import without_marks

_decode: Final = json.JSONDecoder().decode
_IDS: Final = re.compile(UUID_PATTERN, re.ASCII)
_SCRIPT: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
_KEY: Final = re.compile(KEY_PATTERN, re.ASCII)
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9-]{2,16}", re.ASCII)
_METHODS: Final = {str(method): method for method in Method if method not in COPYING}
_LAYERS: Final = {str(layer): layer for layer in Layer if layer not in {Layer.PAGE, Layer.FORM}}
_SIGNALS: Final = frozenset({"", *map(str, Signal)})
_FIELDS: Final = frozenset(DecisionSchema().fields)
_WITHOUT_SIGNAL: Final = _FIELDS - {"signal"}
#: They are no text.
_OTHER: Final = 2


def read_usual(body: bytes) -> Decision | None:
    """Return the decision that `body` spells in the usual way; None for everything else."""
    # Escapes can spell what UTF-8 cannot carry, and one name in two ways.
    if b"\\" in body or not body.isascii():
        return None
    try:
        said = _decode(body.decode("ascii"))
        return _read(said, body.count(b'"'))
    except (ValueError, TypeError, RecursionError, NotATime):
        return None


def _read(said: Any, quotes: int) -> Decision | None:
    if type(said) is not dict or said.keys() not in (_FIELDS, _WITHOUT_SIGNAL):
        return None
    version, grants, signal = said["version"], said["grants"], said.get("signal", "")
    if type(version) is not int or not 1 <= version <= MAX_VERSION or signal not in _SIGNALS:
        return None
    if not _is_usual(grants):
        return None
    # Of a name that stands twice only the last is left, but its quotes are counted.
    if quotes != 2 * (2 * len(said) - _OTHER + len(grants)):
        return None
    method, layer = _METHODS.get(said["method"]), _LAYERS.get(said["layer"])
    decision_id, subject_id, script = said["decision_id"], said["subject_id"], said["script"]
    if (
        method is None
        or layer is None
        or _IDS.fullmatch(decision_id) is None
        or SUBJECT_ID.fullmatch(subject_id) is None
        or _SCRIPT.fullmatch(script) is None
        or _LANGUAGE.fullmatch(said["language"]) is None
    ):
        return None
    return Decision(
        decision_id=UUID(decision_id),
        subject_id=subject_id,
        method=method,
        layer=layer,
        version=version,
        script=script,
        language=said["language"],
        grants=without_marks(grants),
        decided_at=parse_time(said["decided_at"]),
        signal=signal,
    )


def _is_usual(grants: Any) -> bool:
    return (
        type(grants) is dict
        and 1 <= len(grants) <= MAX_GRANTS
        and all(type(granted) is bool for granted in grants.values())
        and all(map(_KEY.fullmatch, grants))
    )

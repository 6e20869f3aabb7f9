"""Witness: cosign other people's checkpoints, as long as their logs only ever grow.

C2SP tlog-witness and tlog-cosignature. Nobody's records are read: a witness sees sizes,
roots and proofs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consent_server.config import Settings
from consent_server.errors import ConfigError, ConsentError, NotFound
from consent_server.rules.merkle import EMPTY_ROOT, is_consistent
from consent_server.rules.note import (
    COSIGNATURE,
    ED25519,
    NotANote,
    NotSigned,
    Signature,
    VerifierKey,
    cosignature_message,
    pack_cosignature,
    parse_verifier_key,
    verify_note,
)
from consent_server.rules.witness import WitnessRequest
from consent_server.signing import SigningKey, open_signer, verify_signature
from consent_server.store.outside_models import Witnessed

#: The witness's own key, beside those of checkpoints: one key never does both.
WITNESS_KEYS = "witness-keys.json"


class Untrusted(ConsentError):
    """A checkpoint that no key of its log has signed."""

    status, code, title = 403, "untrusted_checkpoint", "The checkpoint is not signed by its log"


class OtherSize(ConsentError):
    """The witness cosigned another size last, or another root at this one."""

    status, code, title = 409, "other_size", "The witness knows another size of this log"

    def __init__(self, detail: str, size: int) -> None:
        super().__init__(detail)
        self.size = size


class Inconsistent(ConsentError):
    """A tree that does not continue the one that was cosigned last."""

    status, code, title = 422, "inconsistent_checkpoint", "The checkpoint continues another tree"


class Cosigner:
    """The key with which this server witnesses, under its name."""

    def __init__(self, key: SigningKey, name: str) -> None:
        self._key = key
        self.verifier: VerifierKey = key.verifier(name, COSIGNATURE)

    def cosign(self, text: str, now: datetime) -> str:
        """Return the signature line over the text of a checkpoint."""
        timestamp = int(now.timestamp())
        signature = self._key.sign(cosignature_message(timestamp, text))
        packed = pack_cosignature(timestamp, signature)
        return Signature(self.verifier.name, self.verifier.key_id, packed).to_line()


def open_cosigner(folder: Path, name: str, *, now: datetime) -> Cosigner:
    """Return the witness of a key folder; makes its key the first time. Raises KeyProblem."""
    return Cosigner(open_signer(folder, now=now, name=WITNESS_KEYS).keys[-1], name)


def check_witness(settings: Settings) -> None:
    """Refuse to start as a witness without a name or with unreadable logs; raises ConfigError."""
    if settings.witness_logs and not settings.witness_name:
        raise ConfigError(
            "CONSENT_WITNESS_LOGS makes this server a witness, which needs a name: set "
            "CONSENT_WITNESS_NAME, such as witness.example.net."
        )
    if settings.witness_logs:
        read_logs(Path(settings.witness_logs))


def read_logs(path: Path) -> list[VerifierKey]:
    """Return the keys of the logs to watch: one a line, lines with # are for people.

    The name of a key is the origin of its log. Raises ConfigError.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"CONSENT_WITNESS_LOGS: {path} cannot be read ({error}). Put the verifier keys of the "
            "logs there, one a line."
        ) from error
    keys = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key = parse_verifier_key(line.strip())
        except NotANote as error:
            raise ConfigError(
                f"CONSENT_WITNESS_LOGS: {path}, line {number}: {error.detail}"
            ) from error
        if key.algorithm != ED25519:
            raise ConfigError(
                f"CONSENT_WITNESS_LOGS: {path}, line {number}: a witness's key, not a log's."
            )
        keys.append(key)
    return keys


def cosign_checkpoint(
    session: Session,
    request: WitnessRequest,
    logs: Sequence[VerifierKey],
    cosigner: Cosigner,
    *,
    now: datetime,
) -> str:
    """Remember a checkpoint that continues what was cosigned last; return the cosignature line.

    Give it away only after the commit. Raises NotFound, Untrusted, OtherSize, Inconsistent.
    """
    checkpoint = request.checkpoint
    keys = [key for key in logs if key.name == checkpoint.origin]
    if not keys:
        raise NotFound(f"This witness does not watch a log {checkpoint.origin!r}.")
    try:
        verify_note(request.note, keys, verify_signature)
    except NotSigned as error:
        raise Untrusted(error.detail) from error
    _check_growth(session, request)
    _remember(session, request, now)
    return cosigner.cosign(request.note.text, now)


def list_witnessed(session: Session) -> list[Witnessed]:
    """Return what was cosigned last of each log."""
    return list(session.scalars(select(Witnessed).order_by(Witnessed.origin)))


def _check_growth(session: Session, request: WitnessRequest) -> None:
    new = request.checkpoint
    last = session.get(Witnessed, new.origin)
    size, root = (last.size, last.root) if last is not None else (0, EMPTY_ROOT)
    if request.old != size:
        raise OtherSize(f"The last size that was cosigned is {size}.", size)
    if new.size == size and new.root != root:
        raise OtherSize(f"Another root was cosigned at {size} leaves.", size)
    if not is_consistent(size, root, new.size, new.root, request.proof):
        raise Inconsistent(
            f"The proof does not lead from the {size} leaves that were cosigned last to this tree."
        )


def _remember(session: Session, request: WitnessRequest, now: datetime) -> None:
    """Compare-and-set: of two requests from the same size one wins.

    The first of a log is an insert, which fails for the second by its key.
    """
    new = request.checkpoint
    kept = {
        "size": new.size,
        "root": new.root,
        "note": request.note.to_bytes().decode(),
        "cosigned_at": now,
    }
    last = session.get(Witnessed, new.origin)
    if last is None:
        session.add(Witnessed(origin=new.origin, **kept))
        session.flush()
        return
    same = update(Witnessed).where(
        Witnessed.origin == new.origin, Witnessed.size == request.old, Witnessed.root == last.root
    )
    if session.connection().execute(same.values(**kept)).rowcount != 1:
        raise OtherSize("Another request was quicker. Ask again from its size.", last.size)

"""Cosignatures: a witness's word on a checkpoint, with the time at which it looked."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from consent_server.rules.note import (
    COSIGNATURE,
    ED25519,
    NotANote,
    NotSigned,
    Signature,
    VerifierKey,
    cosignature_message,
    pack_cosignature,
    parse_note,
    sign_note,
    unpack_cosignature,
    verify_note,
)
from tests.rules.ed25519 import public_key, sign, verify

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "notes.json").read_text("utf-8"))
TEXT: str = VECTORS["text"]
SEED = bytes(range(32))


def test_the_message_of_a_cosignature_is_the_example_of_the_specification() -> None:
    note = parse_note(VECTORS["c2sp"]["checkpoint"].encode())
    timestamp, _ = unpack_cosignature(note.signatures[1].signature)
    assert cosignature_message(timestamp, note.text).decode() == VECTORS["c2sp"]["message"]


def test_the_time_of_a_published_cosignature_is_read() -> None:
    vector = VECTORS["cosignature"]
    timestamped = base64.b64decode(vector["base64"])[4:]
    timestamp, signature = unpack_cosignature(timestamped)
    assert timestamp == vector["timestamp"]
    assert pack_cosignature(timestamp, signature) == timestamped


def test_a_witness_cosigns_as_sigsum_does() -> None:
    vector = VECTORS["sigsum"]
    seed, text, timestamp = bytes.fromhex(vector["seed"]), vector["cosigned"], vector["timestamp"]
    key = VerifierKey(vector["cosigner"], COSIGNATURE, public_key(seed))
    timestamped = pack_cosignature(timestamp, sign(seed, cosignature_message(timestamp, text)))
    assert Signature(key.name, key.key_id, timestamped).to_line() == vector["line"]
    lines = "".join([*vector["other_lines"], vector["line"]])
    note = parse_note(f"{text}\n{lines}".encode())
    assert verify_note(note, [key], verify) == (note.signatures[2],)


def test_a_cosignature_speaks_of_its_own_time_and_text() -> None:
    key = VerifierKey("witness", COSIGNATURE, public_key(SEED))
    signature = sign(SEED, cosignature_message(1234, TEXT))
    for text, timestamp in ((TEXT, 1235), (TEXT.replace("you", "we"), 1234)):
        note = sign_note(text, key.name, key.key_id, pack_cosignature(timestamp, signature))
        with pytest.raises(NotSigned, match="is false"):
            verify_note(note, [key], verify)


def test_a_signature_of_the_text_is_no_cosignature_nor_the_other_way_round() -> None:
    log = VerifierKey("name", ED25519, public_key(SEED))
    witness = VerifierKey("name", COSIGNATURE, public_key(SEED))
    plain = sign(SEED, TEXT.encode())
    timed = pack_cosignature(1234, sign(SEED, cosignature_message(1234, TEXT)))
    assert log.key_id != witness.key_id
    for key, signature in ((log, timed), (witness, plain), (witness, pack_cosignature(0, plain))):
        with pytest.raises(NotSigned, match="is false"):
            verify_note(sign_note(TEXT, key.name, key.key_id, signature), [key], verify)
    both = sign_note(TEXT, "name", log.key_id, plain).sign("name", witness.key_id, timed)
    assert verify_note(both, [log, witness], verify) == both.signatures


@pytest.mark.parametrize("timestamp", [-1, 2**63])
def test_a_time_that_no_cosignature_can_have_is_refused(timestamp: int) -> None:
    with pytest.raises(NotANote):
        cosignature_message(timestamp, TEXT)
    with pytest.raises(NotANote):
        pack_cosignature(timestamp, bytes(64))
    with pytest.raises(NotANote):
        unpack_cosignature((2**64 - 1).to_bytes(8, "big") + bytes(64))


@pytest.mark.parametrize("length", [0, 8, 64, 71, 73])
def test_a_cosignature_has_one_length(length: int) -> None:
    with pytest.raises(NotANote):
        unpack_cosignature(bytes(length))
    with pytest.raises(NotANote):
        pack_cosignature(0, bytes(length + 1))

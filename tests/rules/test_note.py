"""Signed notes: those of other implementations verify, and nothing changed does."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.note import (
    COSIGNATURE,
    ED25519,
    MAX_NOTE_BYTES,
    NotANote,
    Note,
    NotSigned,
    Signature,
    VerifierKey,
    key_id,
    parse_note,
    parse_verifier_key,
    sign_note,
    verify_note,
)
from tests.rules.ed25519 import public_key, sign, verify

# Of the Go project, transparency-dev, Sigsum and C2SP: tests/data/README.md says which.
VECTORS = json.loads((Path(__file__).parents[1] / "data" / "notes.json").read_text("utf-8"))
TEXT: str = VECTORS["text"]
PETER: str = VECTORS["peter"]["line"]
ENOCH: str = VECTORS["enoch"]["line"]
PETERS_KEY = parse_verifier_key(VECTORS["peter"]["key"])
ENOCHS_KEY = parse_verifier_key(VECTORS["enoch"]["key"])
SEED = bytes(range(32))


def _note(text: str, *lines: str) -> Note:
    return parse_note("".join([text, "\n", *lines]).encode())


# Keys


@pytest.mark.parametrize(
    "text",
    [
        VECTORS["peter"]["key"],
        VECTORS["enoch"]["key"],
        VECTORS["sumdb"]["key"],
        VECTORS["c2sp"]["key"],
        VECTORS["cosigner_key"],
    ],
)
def test_a_published_key_has_the_id_it_says_and_is_written_as_it_was_read(text: str) -> None:
    key = parse_verifier_key(text)
    assert key.to_text() == text
    assert key_id(key.name, key.algorithm, key.public_key).hex() == text.split("+")[1]


def test_a_key_is_of_the_type_it_says() -> None:
    assert PETERS_KEY.algorithm == ED25519
    assert parse_verifier_key(VECTORS["cosigner_key"]).algorithm == COSIGNATURE


def test_no_part_of_a_key_is_a_key() -> None:
    text = VECTORS["peter"]["key"]
    for begin in range(len(text)):
        for end in range(begin, len(text) + 1):
            if (begin, end) != (0, len(text)):
                with pytest.raises(NotANote):
                    parse_verifier_key(text[begin:end])


def test_no_changed_character_is_accepted_in_a_key() -> None:
    text = VECTORS["peter"]["key"]
    for at, one in enumerate(text):
        with pytest.raises(NotANote):
            parse_verifier_key(text[:at] + chr(ord(one) + 1) + text[at + 1 :])


@pytest.mark.parametrize("text", VECTORS["false_keys"].values(), ids=VECTORS["false_keys"])
def test_a_published_false_key_is_refused(text: str) -> None:
    with pytest.raises(NotANote):
        parse_verifier_key(text)


@given(st.text(max_size=80))
def test_no_other_text_is_a_key(text: str) -> None:
    with pytest.raises(NotANote):
        parse_verifier_key(text)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\u0085", "a\nb", "a\x00b", "a\ud800b"]
)
def test_a_name_that_the_specification_forbids_is_refused(name: str) -> None:
    with pytest.raises(NotANote):
        VerifierKey(name, ED25519, bytes(32))
    with pytest.raises(NotANote):
        key_id(name, ED25519, bytes(32))
    with pytest.raises(NotANote):
        sign_note(TEXT, name, bytes(4), bytes(64))


# Notes that others signed


def test_a_note_is_signed_as_the_go_project_signs_it() -> None:
    seed = base64.b64decode(VECTORS["peter"]["seed"])[1:]
    assert public_key(seed) == PETERS_KEY.public_key
    note = sign_note(TEXT, PETERS_KEY.name, PETERS_KEY.key_id, sign(seed, TEXT.encode()))
    assert note.to_bytes().decode() == f"{TEXT}\n{PETER}"


def test_signatures_of_known_keys_are_told_and_others_ignored() -> None:
    note = _note(TEXT, PETER, ENOCH)
    peter, enoch = note.signatures
    assert note.text == TEXT
    assert verify_note(note, [PETERS_KEY], verify) == (peter,)
    assert verify_note(note, [ENOCHS_KEY], verify) == (enoch,)
    assert verify_note(note, [ENOCHS_KEY, PETERS_KEY, PETERS_KEY], verify) == (peter, enoch)


def test_a_note_without_a_known_key_is_refused() -> None:
    with pytest.raises(NotSigned, match="None of the note's signatures"):
        verify_note(_note(TEXT, ENOCH), [PETERS_KEY], verify)
    with pytest.raises(NotSigned, match="None of the note's signatures"):
        verify_note(_note(TEXT, PETER, ENOCH), [], verify)


def test_a_key_is_known_by_name_and_id_together() -> None:
    renamed = PETER.replace("PeterNeumann", "CarmenSandiego")
    other_id = PETER.replace("x08g", "xxxx")
    with pytest.raises(NotSigned, match="None of the note's signatures"):
        verify_note(_note(TEXT, renamed, other_id), [PETERS_KEY], verify)
    assert len(verify_note(_note(TEXT, renamed, PETER), [PETERS_KEY], verify)) == 1


def test_a_false_signature_of_a_known_key_spoils_the_whole_note() -> None:
    longer = PETER[:60] + "ABCD" + PETER[60:]
    for lines in ([longer], [PETER, longer], [longer, PETER]):
        with pytest.raises(NotSigned, match=r"PeterNeumann\+c74f20a3 is false"):
            verify_note(_note(TEXT, *lines), [PETERS_KEY], verify)
    assert verify_note(_note(TEXT, longer, ENOCH), [ENOCHS_KEY], verify)


def test_two_keys_that_are_called_the_same_are_refused() -> None:
    class Colliding(VerifierKey):
        key_id = PETERS_KEY.key_id

    other = Colliding(PETERS_KEY.name, ED25519, bytes(32))
    with pytest.raises(NotSigned, match="Two known keys"):
        verify_note(_note(TEXT, PETER), [PETERS_KEY, other], verify)


def test_the_checkpoint_of_the_go_checksum_database_verifies() -> None:
    note = parse_note(VECTORS["sumdb"]["note"].encode())
    assert verify_note(note, [parse_verifier_key(VECTORS["sumdb"]["key"])], verify)


def test_a_checkpoint_of_sigsum_verifies() -> None:
    raw = VECTORS["sigsum"]["note"].encode()
    note = parse_note(raw)
    seed = bytes.fromhex(VECTORS["sigsum"]["seed"])
    key = VerifierKey(note.signatures[0].name, ED25519, public_key(seed))
    assert verify_note(note, [key], verify) == note.signatures
    assert note.to_bytes() == raw


@given(st.data())
def test_no_changed_byte_of_a_signed_note_verifies(data: st.DataObject) -> None:
    raw = f"{TEXT}\n{PETER}".encode()
    at, other = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 255))
    changed = raw[:at] + bytes([other]) + raw[at + 1 :]
    if changed != raw:
        with pytest.raises((NotANote, NotSigned)):
            verify_note(parse_note(changed), [PETERS_KEY], verify)


# Form


@pytest.mark.parametrize("name", ["note", "checkpoint"])
def test_an_example_of_the_specification_is_read_and_written_as_it_was(name: str) -> None:
    raw = VECTORS["c2sp"][name].encode()
    assert parse_note(raw).to_bytes() == raw


def test_the_last_empty_line_ends_the_text() -> None:
    note = parse_note(VECTORS["c2sp"]["note"].encode())
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [signature.name for signature in note.signatures] == ["quasimodo.example/salvatore"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{PETER[:-1]}",
        f"{TEXT}{PETER}",
        f"\n{PETER}",
        f"\x01{TEXT}\n{PETER}",
        f"{TEXT}\r\n\r\n{PETER}",
        f"{TEXT}\t\n\n{PETER}",
        b"\xff" + f"{TEXT}\n{PETER}".encode(),
        f"{TEXT}\n{PETER.replace('PeterNeumann', 'Bad Name')}",
        f"{TEXT}\n{PETER.replace('PeterNeumann', 'Peter+Neumann')}",
        f"{TEXT}\n{PETER.replace('PeterNeumann ', '')}",
        f"{TEXT}\n{PETER}Unexpected line.\n",
        f"{TEXT}\n{PETER}\n",
        f"{TEXT}\n-{PETER[1:]}",
        f"{TEXT}\n\N{EM DASH}  {PETER[2:]}",
        f"{TEXT}\n{PETER[:-1]} \n",
        f"{TEXT}\n{PETER.replace('=', '')}",
        f"{TEXT}\n{PETER.replace('AM=', 'AN=')}",
        f"{TEXT}\n{PETER.replace('/', '_')}",
        f"{TEXT}\n\N{EM DASH} PeterNeumann x08gow==\n",
        f"{TEXT}\n\N{EM DASH} PeterNeumann DEAD\n",
        f"{TEXT}\n{PETER * 101}",
        f"{'x' * MAX_NOTE_BYTES}\n\n{PETER}",
    ],
)
def test_what_the_specification_forbids_is_no_note(raw: str | bytes) -> None:
    with pytest.raises(NotANote):
        parse_note(raw.encode() if isinstance(raw, str) else raw)


@given(st.binary(max_size=120) | st.text(max_size=120).map(lambda text: text.encode()))
def test_no_other_bytes_raise_another_error(raw: bytes) -> None:
    with pytest.raises(NotANote):
        parse_note(raw)


@pytest.mark.parametrize("text", ["", "abc", "a\tb\n", "a\r\n", "\x00\n", "\ud800\n"])
def test_a_text_that_cannot_be_signed_is_refused(text: str) -> None:
    with pytest.raises(NotANote):
        sign_note(text, "name", bytes(4), bytes(64))


@pytest.mark.parametrize(
    ("number", "signature"), [(b"123", b"x"), (b"12345", b"x"), (b"1234", b"")]
)
def test_a_signature_needs_a_key_id_and_bytes(number: bytes, signature: bytes) -> None:
    with pytest.raises(NotANote):
        Signature("name", number, signature)


def test_a_note_without_signatures_is_not_written() -> None:
    with pytest.raises(NotANote, match="1 to 100"):
        Note(TEXT).to_bytes()


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=60)


@given(texts, st.lists(st.binary(min_size=1, max_size=90), min_size=1, max_size=16))
def test_what_is_written_reads_back_as_it_was(text: str, signatures: list[bytes]) -> None:
    note = Note(f"{text}\n")
    for number, signature in enumerate(signatures):
        note = note.sign(f"key/{number}", number.to_bytes(4, "big"), signature)
    assert parse_note(note.to_bytes()) == note

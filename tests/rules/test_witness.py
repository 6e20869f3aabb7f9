"""Requests to a witness: one form, as the specification has it, and no other."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.checkpoint import Checkpoint
from consent_server.rules.note import sign_note
from consent_server.rules.witness import (
    NotAWitnessRequest,
    parse_request,
    parse_size,
    spell_request,
)

#: The example of C2SP tlog-witness, "add-checkpoint".
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\N{EM DASH} example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\N{EM DASH} example.com/behind-the-sofa \
opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""
_HASH = base64.b64encode(bytes(32)).decode()


def note(size: int = 5) -> str:
    text = Checkpoint("example.com/log", size, bytes(32)).to_text()
    return sign_note(text, "example.com/log", b"abcd", bytes(64)).to_bytes().decode()


def test_the_example_of_the_specification_is_read() -> None:
    found = parse_request(EXAMPLE.encode())
    assert (found.old, len(found.proof), len(found.note.signatures)) == (20852014, 4, 2)
    assert found.checkpoint.origin == "example.com/behind-the-sofa"
    assert found.checkpoint.size == 20852163
    assert base64.b64encode(found.proof[3]) == b"/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0="


@given(st.integers(0, 5), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_is_spelled_is_read(old: int, proof: list[bytes]) -> None:
    found = parse_request(spell_request(old, proof, note()))
    assert (found.old, list(found.proof)) == (old, proof)
    assert found.note.to_bytes().decode() == note()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 0",
        "old 0\n\n",
        f"old 00\n\n{note()}",
        f"old -1\n\n{note()}",
        f"old  0\n\n{note()}",
        f"Old 0\n\n{note()}",
        f"old 0\r\n\r\n{note()}",
        f"old 0\n{note()}",
        f"old 0\n{_HASH}\n{note()}",
        f"old 0\n{_HASH[:-4]}\n\n{note()}",
        f"old 0\n{_HASH} \n\n{note()}",
        f"old 99999999999999999999\n\n{note()}",
        f"old 9223372036854775808\n\n{note()}",
        f"old 6\n\n{note(5)}",
        "old 0\n" + f"{_HASH}\n" * 64 + f"\n{note()}",
        f"old 0\n\n{note().removesuffix(chr(10))}",
        "old 0\n\nexample.com/log\n5\n",
        f"\n{note()}",
        note(),
    ],
)
def test_any_other_form_is_refused(body: str) -> None:
    with pytest.raises(NotAWitnessRequest):
        parse_request(body.encode())


@given(st.binary(max_size=300))
def test_reading_raises_nothing_else(body: bytes) -> None:
    with pytest.raises(NotAWitnessRequest):
        parse_request(body)


@pytest.mark.parametrize(
    ("body", "size"),
    [(b"0\n", 0), (b"17\n", 17), (b"17", None), (b"017\n", None), (b"", None), (b"-1\n", None)],
)
def test_the_size_that_a_witness_names_is_read(body: bytes, size: int | None) -> None:
    assert parse_size(body) == size

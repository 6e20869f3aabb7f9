"""Differences: short, readable, and harmless to the terminal."""

from __future__ import annotations

from consent_server.cli.differences import describe_change
from consent_server.sites import Change


def test_added_and_removed_fields_have_a_line_each() -> None:
    assert describe_change(Change("a.b", None, {"c": 1})) == ['  + a.b: {"c": 1}']
    assert describe_change(Change("a.b", "ä", None)) == ['  - a.b: "ä"']


def test_a_short_change_stands_on_one_line() -> None:
    assert describe_change(Change("valid_days", 180, 200)) == ["  ~ valid_days: 180 -> 200"]


def test_a_long_change_is_cut_to_where_it_differs() -> None:
    same = "word " * 100
    head, old, new = describe_change(Change("text", f"{same}old", f"{same}new"))
    assert head == "  ~ text:"
    assert old.startswith("    - …")
    assert old.endswith('old"')
    assert new.endswith('new"')
    assert all(len(line) < 110 for line in (old, new))


def test_a_value_that_only_grew_shows_what_was_added() -> None:
    _, old, new = describe_change(Change("text", "x" * 150, "x" * 150 + " and more"))
    assert "and more" not in old
    assert "and more" in new


def test_no_value_can_move_the_cursor_or_turn_the_text() -> None:
    lines = describe_change(Change("name", "\x1b[2J\x9b1m\u202e", "\r\n"))
    assert all(character.isprintable() for line in lines for character in line)

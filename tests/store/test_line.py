"""The line: each site in its order, sites in turn, and few never behind many."""

from __future__ import annotations

from consent_server.store.line import Line, Waiting


def line_of(*sites: str, patient: bool = False) -> Line:
    line = Line()
    for number, site in enumerate(sites):
        line.put(Waiting(f"{site}{number}", print, float(number), site, patient))
    return line


def items(taken: list[Waiting]) -> list[str]:
    return [one.item for one in taken]


def test_one_site_alone_goes_in_its_order_as_many_as_there_may_be() -> None:
    line = line_of(*"aaaaaaaaaaaa")
    assert items(line.take(10)) == [f"a{number}" for number in range(10)]
    assert items(line.take(10)) == ["a10", "a11"]
    assert not line
    assert line.take(10) == []


def test_who_comes_behind_a_crowd_goes_next_beside_a_few_of_it() -> None:
    line = line_of(*"a" * 40, "b", "c")
    assert items(line.take(64)) == ["a0", "b40", "c41", *(f"a{number}" for number in range(1, 8))]
    assert items(line.take(64)) == [f"a{number}" for number in range(8, 40)]


def test_two_sites_with_as_much_to_write_share_a_whole_transaction() -> None:
    line = line_of(*"ab" * 40)
    taken = line.take(64)
    assert len(taken) == 64
    assert sum(one.site == "a" for one in taken) == 32


def test_more_sites_than_fit_are_all_heard_before_one_is_heard_again() -> None:
    line = line_of("a", "a", "b", "c", "d")
    assert items(line.take(3)) == ["a0", "b2", "c3"]
    assert items(line.take(3)) == ["a1", "d4"]


def test_a_full_line_takes_more_of_sites_with_few_only() -> None:
    line = line_of(*"a" * 20)
    assert line.is_full(20, "a")
    assert not line.is_full(20, "b")
    assert not line.is_full(21, "a")


def test_it_is_urgent_while_somebody_waits_who_is_not_patient() -> None:
    line = line_of("a", "a", patient=True)
    assert not line.urgent
    line.put(Waiting("b", print, 7.0, "b"))
    assert line.urgent
    assert (line.oldest(), [one.site for one in line]) == (0.0, ["a", "a", "b"])
    line.take(2)
    assert not line.urgent
    line.clear()
    assert (len(line), list(line)) == (0, [])

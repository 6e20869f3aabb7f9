"""Publications: what a version says of itself, held against what the ledger says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from consent_server.rules.times import NotATime, parse_time
from consent_server.verification.events import Context, KnownVersion
from consent_server.verification.findings import Broken

#: The event gets its time later in the same transaction, and never one before the last checkpoint.
_AT_ONCE = timedelta(seconds=60)

#: The earliest events that publish each version: one, unless a site came back while its clock
#: stood still. A site that comes back publishes its last version again.
Publications = dict[int, list[dict[str, Any]]]


def note_publication(found: Publications, event: dict[str, Any]) -> None:
    """Keep an event of the walk if none before it published its version."""
    number = event["details"].get("version")
    if event["action"] == "publish" and type(number) is int:
        earliest = found.setdefault(number, [])
        if not earliest or earliest[0]["happened_at"] == event["happened_at"]:
            earliest.append(event)


def check_publications(versions: Mapping[int, KnownVersion], found: Publications) -> None:
    """Check who published each version of a whole bundle, when, and since when it is asked.

    Raises Broken.
    """
    for number, problem in problems_of(versions, found):
        raise Broken(f"versions/{number}.json{problem}")


def check_named(context: Context, named: set[tuple[int, str]]) -> None:
    """Refuse what nothing in the bundle names: nobody vouches for it. Raises Broken."""
    versions, scripts = ({pair[at] for pair in named} for at in (0, 1))
    for number in sorted(context.versions.keys() - versions):
        raise Broken(f"versions/{number}.json is named by nothing in the bundle.")
    for digest in sorted(set(context.scripts) - scripts):
        raise Broken(f"scripts/{digest}.js is named by nothing in the bundle.")


def problems_of(
    versions: Mapping[int, KnownVersion], found: Publications
) -> Iterator[tuple[int, str]]:
    """Give each version that says something else than the events, and words to follow its name."""
    for number, version in sorted(versions.items()):
        before = versions.get(number - 1)
        since = before.material_since if before else 0
        problems = [_problem(number, version, event, since) for event in found.get(number, ())]
        if not problems:
            yield number, ": no event says that it was published."
        elif all(problems):
            yield number, f" {problems[0]}"


def _problem(number: int, version: KnownVersion, event: dict[str, Any], since: int) -> str:
    """Say in what a version differs from an event that published it, or nothing."""
    if version.published_by != event["actor"]:
        return f"was published by {event['actor']!r}."
    if not _is_of_the_time(version.published_at, event["happened_at"]):
        return f"was published at {event['happened_at']}."
    if version.material_since != (number if event["details"].get("asks_again") else since):
        return "has another material_since than the ledger, which says when all were asked again."
    return ""


def _is_of_the_time(stated: str, happened: str) -> bool:
    try:
        return timedelta() <= parse_time(happened) - parse_time(stated) <= _AT_ONCE
    except NotATime:
        return False

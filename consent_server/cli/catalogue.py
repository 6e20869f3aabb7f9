"""Catalogue commands: what is known of the services that sites use."""

from __future__ import annotations

import click

from consent_server.catalogue import Service, get_service, load_catalogue
from consent_server.cli.tables import print_fields, print_table
from consent_server.languages import LANGUAGES, SOURCE_LANGUAGE
from consent_server.texts import translate_purpose


@click.group()
def catalogue() -> None:
    """Look at the services that a site file may name with `use`."""


@catalogue.command("list")
def list_command() -> None:
    """List every service."""
    print_table(
        ("KEY", "CATEGORY", "COUNTRY", "NAME", "PROVIDER"),
        [
            (s.key, s.category, s.provider.country or "-", s.name, s.provider.name)
            for s in load_catalogue().values()
        ],
    )


@catalogue.command()
@click.argument("key")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=SOURCE_LANGUAGE,
    metavar="TAG",
    help="The language of the purposes; English otherwise.",
)
def show(key: str, language: str) -> None:
    """Show everything that is known of a service, and where it is known from."""
    print_fields(_describe(get_service(key), language))


def _describe(service: Service, language: str) -> list[tuple[str, str]]:
    provider = service.provider
    fields = [
        ("key", service.key),
        ("name", service.name),
        ("category", f"{service.category} (suggested)"),
        ("provider", f"{provider.name}, {provider.address}, {provider.country}".strip(", ")),
        ("policy", provider.policy),
        ("transfers to", ", ".join(provider.transfers)),
        ("processors", "\n".join(f"{p.name}, {p.country}" for p in service.processors)),
        ("hosts", "\n".join(service.hosts)),
        ("paths", "\n".join(service.paths)),
        (
            "stores",
            "\n".join(
                f"{item.kind} {item.name}, {item.lifetime}: "
                f"{translate_purpose(language, item.purpose)}"
                for item in service.items
            ),
        ),
        ("purpose", translate_purpose(language, service.purpose)),
        (
            "known from",
            "\n".join(
                f"{one.source} {one.revision} ({one.licence}) {one.url}: {one.facts}"
                for one in service.provenance
            ),
        ),
        ("reviewed", service.reviewed.isoformat()),
    ]
    return [(name, value) for name, value in fields if value]

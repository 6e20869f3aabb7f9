"""Consent server: asks visitors, holds tags, records decisions, proves them."""

__version__ = "0.1.0"

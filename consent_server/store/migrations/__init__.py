"""Migrations: how the schema got where it is."""

"""Verification: is a bundle what its log signed? Without database, server or network."""

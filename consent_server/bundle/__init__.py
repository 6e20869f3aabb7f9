"""Bundle: everything of a site's ledger in one zip, for those who check it."""

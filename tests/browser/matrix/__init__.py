"""Matrix: every way a page can load, send or store, with and without us, in each engine."""

"""Browser tests: the real server, the real widget, real browsers."""

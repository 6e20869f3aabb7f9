"""Real vendor libraries: held, released and cleaned up like any stand-in."""

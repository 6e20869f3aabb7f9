"""Tests: they mirror the package; `browser` drives real browsers."""

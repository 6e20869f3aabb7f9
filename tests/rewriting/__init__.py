"""Tests of the rewriting."""

"""Rules: what is true without a clock, a network, a database or a framework."""

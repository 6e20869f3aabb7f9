"""What the vendors' own code is told of consent, call by call."""

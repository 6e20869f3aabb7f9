"""Front ends with no tracker in them: they are the same with us and without."""

"""Store: tables, sessions, migrations; SQLAlchemy lives here and in the use cases only."""

from consent_server.store import models, outside_models

# Whoever asks for the tables gets all of them.
__all__ = ["models", "outside_models"]

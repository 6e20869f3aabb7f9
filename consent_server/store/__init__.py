"""Store: tables, sessions, migrations; SQLAlchemy lives here and in the use cases only."""

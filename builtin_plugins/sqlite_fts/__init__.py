"""The default memory: SQLite and its full-text search."""

"""A memory in one SQLite file: storage with revisions, full-text search, one writer and some readers."""

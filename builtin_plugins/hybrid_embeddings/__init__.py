"""The memory with words and vectors in one SQLite file."""

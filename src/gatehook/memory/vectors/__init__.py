"""Vectors beside the words of a SQLite memory: rows, codes in memory, the worker that makes them, the search."""

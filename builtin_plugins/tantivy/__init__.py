"""The memory for a million documents and more: rows in SQLite, words in tantivy."""

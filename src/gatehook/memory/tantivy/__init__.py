"""A memory whose rows lie in SQLite and whose words are found by tantivy: an index that can be thrown away any time."""

"""A memory in a PostgreSQL schema: several gateways write at once, words are indexed and ranked by the server."""

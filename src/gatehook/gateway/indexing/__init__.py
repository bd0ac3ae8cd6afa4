"""Folders of documents, kept in the memory: what is there now, what was indexed, and the way from one to the other."""

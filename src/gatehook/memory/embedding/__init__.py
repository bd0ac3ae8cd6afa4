"""Embedders: what makes vectors of texts, behind one protocol and one hook."""

"""Recorded prices, replayed."""

"""A dealing desk: a worked example of a broker plugin."""

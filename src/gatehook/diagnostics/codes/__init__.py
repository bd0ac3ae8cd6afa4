"""The catalogue: one module a subject, each constant a ``Code``. ``gatehook.diagnostics.catalogue`` collects them."""

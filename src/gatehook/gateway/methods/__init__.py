"""What the control socket offers: one table of methods a subject."""

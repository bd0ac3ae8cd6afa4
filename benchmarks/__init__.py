"""What Gatehook's work costs, against the least it could cost and against others who do the same."""

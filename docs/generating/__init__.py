"""One module for each subject whose tables the code defines."""

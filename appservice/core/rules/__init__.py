"""Who may do what, how much, and in which order."""

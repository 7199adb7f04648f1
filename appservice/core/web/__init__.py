"""What the HTTP routes answer and read, as data."""

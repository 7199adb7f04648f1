"""Opening the database: a configured one or our own, and its schema."""

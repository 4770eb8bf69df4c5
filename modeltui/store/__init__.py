"""What modeltui remembers, in one SQLite database that several instances may use at once."""

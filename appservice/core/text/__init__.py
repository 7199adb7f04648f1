"""Text that people write or read: cleaned, parsed, composed."""

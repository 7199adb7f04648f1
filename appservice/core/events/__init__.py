"""Matrix events: validated and parsed into changes."""

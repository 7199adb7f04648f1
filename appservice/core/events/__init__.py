"""What Matrix events say: read into changes, checked."""

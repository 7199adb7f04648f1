"""Permissions, quotas, and the order of work."""

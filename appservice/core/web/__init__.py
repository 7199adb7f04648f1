"""Requests and responses of the HTTP routes, as data."""

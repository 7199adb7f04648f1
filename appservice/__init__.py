"""Roomreel: a Matrix application service that gives every room a screen."""

__version__ = "0.2.0"

"""`roomreel check`: every part we depend on, one line each, and what to do about a failure."""

from appservice.check.run import check

__all__ = ["check"]

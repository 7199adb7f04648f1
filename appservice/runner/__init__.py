"""A runner: makes ladders for a server that it reaches over HTTPS, with nothing but a token."""

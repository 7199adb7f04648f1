"""What a check finds, other than that all is well."""


class CheckError(Exception):
    """A part is not as it should be; the text says what to do."""


class CheckWarning(Exception):  # noqa: N818 - nothing is broken
    """A part works, but could be safer; the text says what to do."""

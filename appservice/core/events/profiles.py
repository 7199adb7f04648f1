"""Whether a field of the bot's profile is ours to set: what an operator chose there stays. Pure."""

from collections.abc import Collection


def may_set(current: str | None, before: str | None, *, untouched: Collection[str | None] = (None, "")) -> bool:
    """Say whether a field that is `current` may be set by us.

    `before` is what we set last, None where we never did. `untouched` is what a homeserver gives a new user.
    """
    return current in untouched if before is None else current == before

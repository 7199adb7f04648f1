"""Keeps mautrix' open enumerations small: they keep every value, and every type of event, that anybody has sent.

Import after `installation.install`.
"""

from mautrix.types import EventType, ExtensibleEnum

_MOST_UNNAMED = 1000


def trim_enums() -> None:
    """Drop values that have no name, where there are too many: one that comes again is made anew."""
    types = EventType._by_event_type  # noqa: SLF001 - nothing else reaches them
    unknown = [name for name, known in types.items() if known.t_class is EventType.Class.UNKNOWN]
    if len(unknown) > _MOST_UNNAMED:
        for name in unknown:
            del types[name]
    for enum in ExtensibleEnum.__subclasses__():
        by_value = enum._by_value  # noqa: SLF001
        if len(by_value) > len(enum._by_key) + _MOST_UNNAMED:  # noqa: SLF001
            for value in [value for value, member in by_value.items() if member.key is None]:
                del by_value[value]

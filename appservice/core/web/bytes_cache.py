"""A cache bounded in bytes that is shared fairly: whoever fills it pushes out what is their own. Pure."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BytesCache(Generic[K, V]):
    """Values by owner and key, the least recently used of whoever has the most going first."""

    def __init__(self, total: int, per_owner: int) -> None:
        self._total, self._per_owner = total, per_owner
        self._owners: dict[Hashable, OrderedDict[K, tuple[int, V]]] = {}
        self._sizes: dict[Hashable, int] = {}
        self.size = 0
        """Bytes of all cached values, as given to `put`."""

    def get(self, owner: Hashable, key: K) -> V | None:
        """Return what was put in, if it is still there."""
        values = self._owners.get(owner, OrderedDict[K, tuple[int, V]]())
        if key not in values:
            return None
        values.move_to_end(key)
        return values[key][1]

    def put(self, owner: Hashable, key: K, value: V, size: int) -> None:
        """Cache a value of so many bytes, unless it is too large for its owner's share."""
        self.drop(owner, key)
        if size > self._per_owner:
            return
        self._owners.setdefault(owner, OrderedDict())[key] = size, value
        self._add(owner, size)
        while self._sizes[owner] > self._per_owner:
            self._drop_oldest(owner)
        while self.size > self._total:
            self._drop_oldest(max(self._sizes, key=self._sizes.__getitem__))

    def items(self) -> Iterator[tuple[Hashable, K, V]]:
        """Yield what there is, with its owner and key."""
        for owner, values in self._owners.items():
            for key, (_, value) in values.items():
                yield owner, key, value

    def drop(self, owner: Hashable, key: K) -> None:
        """Invalidate a value; harmless when there is none."""
        values = self._owners.get(owner)
        if values and key in values:
            self._remove(owner, values, key)

    def _drop_oldest(self, owner: Hashable) -> None:
        values = self._owners[owner]
        self._remove(owner, values, next(iter(values)))

    def _remove(self, owner: Hashable, values: "OrderedDict[K, tuple[int, V]]", key: K) -> None:
        self._add(owner, -values.pop(key)[0])
        if not values:
            del self._owners[owner], self._sizes[owner]

    def _add(self, owner: Hashable, size: int) -> None:
        self._sizes[owner] = self._sizes.get(owner, 0) + size
        self.size += size

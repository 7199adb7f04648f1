"""Prints the steps of the demo's start."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Steps:
    """Says each step and how long it took; `current` is the one that goes on, or that failed."""

    started: float = field(default_factory=time.monotonic)
    current: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a step, and print how long it took."""
        began = time.monotonic()
        self.current = name
        yield
        print(f"  {name:<44}{time.monotonic() - began:7.2f} s", flush=True)

    def total(self) -> None:
        """Print how long all took."""
        print(f"  {'altogether':<44}{time.monotonic() - self.started:7.2f} s", flush=True)

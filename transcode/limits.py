"""Limits of one job: everything a hostile file could otherwise choose."""

import os
from dataclasses import dataclass, field


def _some_threads() -> int:
    # Half as many again as there are cores, as x264 itself would: threads wait for each other at times, and a ladder
    # takes 3 % less. More than eight for each rung add memory (address space above all) faster than speed.
    return min(8, (os.cpu_count() or 1) * 3 // 2)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one job. Only those of processes (CPU, memory, file size) need `prlimit` on PATH."""

    max_duration: float = 7200.0
    """Seconds a video may play."""
    max_width: int = 8192
    """Pixels across, as coded in the file."""
    max_height: int = 8192
    """Pixels down, as coded in the file."""
    max_pixels: int = 35_400_000
    """Pixels of one frame (8192 x 4320): the decoder refuses larger ones before it allocates memory for them."""
    max_frame_rate: float = 1000.0
    """Mean frames per second; a file may hold as many in all however short it is."""
    max_streams: int = 128
    """Streams of any kind in the container. Phones write up to nine; feature films have some dozens of subtitles."""
    wall_seconds: float = 4 * 3600.0
    """Time from opening the file to the end of the ladder, without the time that the caller takes in between."""
    stalled_seconds: float = 900.0
    """Time in which a run of ffmpeg that reports progress may make none. A frame may take seconds, and a slow disk some
    minutes to read past gigabytes without one; so long means that it never ends, as when a thread of ffmpeg's cannot
    start."""
    cpu_seconds: int = 8 * 3600
    """CPU time of each process."""
    address_space: int = 6 * 2**30
    """Bytes of virtual memory of each process."""
    output_bytes: int = 16 * 2**30
    """Bytes of the whole ladder. Checked in advance from the maximum bit rates, and enforced on each single file."""
    threads: int = field(default_factory=_some_threads)
    """Threads of the decoder and of each encoder."""

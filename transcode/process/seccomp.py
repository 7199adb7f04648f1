"""Compile the seccomp filter of the sandbox, which bubblewrap loads: pure.

ffmpeg and ffprobe need files, memory and threads. System calls that reach further into the kernel, or create processes,
fail with EPERM. libseccomp would compile the same filter; but then every machine needs it as a library of its system,
and Python's bindings from there too, for a table and five kinds of instruction (linux/filter.h).
"""

import errno
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Where struct seccomp_data has the call's number, the architecture, and the lower half of the first argument.
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF_0000, 0x8000_0000, 0x0005_0000 | errno.EPERM, 0x0005_0000 | errno.ENOSYS
_X32 = 0x4000_0000
_CLONE_THREAD = 0x10000
_AF_UNIX = 1
_INSTRUCTION = struct.Struct("=HBBI")
# clone3: its flags are in memory, which a filter cannot read; after ENOSYS, C libraries fall back to clone.
_CLONE3 = 435
# These have the same number everywhere: pidfd_send_signal, fchmodat2, setxattrat, removexattrat;
_SAME_USER_EVERYWHERE = (424, 452, 463, 466)
# pidfd_getfd, io_uring_*, and the newer ways to mount.
_REFUSED_EVERYWHERE = (438, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442)


@dataclass(frozen=True, slots=True)
class _Machine:
    audit: int
    clone: int
    socket: int
    refused: tuple[int, ...]
    same_user: tuple[int, ...]
    """What reaches files and processes of the same user without opening any, which Landlock does not govern."""
    most: int = 2**32 - 1
    """Numbers from here on are another calling convention's."""


_MACHINES = {
    "x86_64": _Machine(
        0xC000_003E,
        clone=56,
        socket=41,
        refused=(
            57, 58,  # fork, vfork
            101, 310, 311, 312,  # ptrace, process_vm_readv, process_vm_writev, kcmp
            165, 166, 155, 161, 272, 308,  # mount, umount2, pivot_root, chroot, unshare, setns
            248, 249, 250, 321, 298, 323,  # add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd
            246, 320, 175, 313, 176, 169,  # kexec_load, kexec_file_load, three for modules, reboot
            167, 168, 163, 179, 103, 164, 227, 159,  # swapon, swapoff, acct, quotactl, syslog, set and adjust clocks
            172, 173, 154, 303, 304,  # iopl, ioperm, modify_ldt, name_to_handle_at, open_by_handle_at
            133, 259, 88, 266, 86, 265, 83, 258,  # mknod, symlink, link and mkdir, each also with `at`
        ),
        same_user=(
            90, 91, 268, 92, 93, 94, 260,  # chmod, fchmod, fchmodat, chown, fchown, lchown, fchownat
            132, 235, 261, 280, 76,  # utime, utimes, futimesat, utimensat, truncate
            188, 189, 190, 197, 198, 199,  # setxattr and removexattr, each also with `l` and `f`
            62, 200, 234, 129, 297,  # kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo
        ),
        most=_X32,
    ),
    "aarch64": _Machine(
        0xC000_00B7,
        clone=220,
        socket=198,
        refused=(
            117, 270, 271, 272,  # as above
            40, 39, 41, 51, 97, 268,
            217, 218, 219, 280, 241, 282,
            104, 294, 105, 273, 106, 142,
            224, 225, 89, 60, 116, 170, 112, 171,
            264, 265,
            33, 36, 37, 34,
        ),
        same_user=(
            52, 53, 55, 54,
            88, 45,
            5, 6, 7, 14, 15, 16,
            129, 130, 131, 138, 240,
        ),
    ),
}  # fmt: skip


def seccomp_filter(machine: str = platform.machine(), *, alone: bool = False) -> bytes:
    """Compile the filter for an architecture, as `platform.machine` names it; empty for an unknown one.

    `alone`: without namespaces around it, so that nothing of the same user's is to be reached, by sockets neither.
    """
    known = _MACHINES.get(machine)
    if known is None:
        return b""
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in _program(known, alone=alone))


def _program(machine: _Machine, *, alone: bool) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _ARCHITECTURE
    yield _IF_EQUAL, 1, 0, machine.audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    yield _IF_AT_LEAST, 0, 1, machine.most
    yield _RETURN, 0, 0, _KILL
    refused = (*machine.refused, *_REFUSED_EVERYWHERE)
    if alone:
        refused = (*refused, *machine.same_user, *_SAME_USER_EVERYWHERE, machine.socket)
    for number in refused:
        yield _IF_EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _REFUSE
    yield _IF_EQUAL, 0, 1, _CLONE3
    yield _RETURN, 0, 0, _UNKNOWN
    yield from _only(machine.clone, _IF_SET, _CLONE_THREAD)
    yield from _only(machine.socket, _IF_EQUAL, _AF_UNIX)
    yield _RETURN, 0, 0, _ALLOW


def _only(number: int, test: int, value: int) -> Iterator[tuple[int, int, int, int]]:
    """Allow a call only where its first argument passes a test."""
    yield _IF_EQUAL, 0, 4, number
    yield _LOAD, 0, 0, _FIRST
    yield test, 1, 0, value
    yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _ALLOW

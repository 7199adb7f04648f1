"""Confine the process that runs this file by Landlock and seccomp, and become another program: `python confine.py …`.

For machines and containers that allow no namespaces. Alone: nothing of ours is imported, for each run of ffmpeg begins
with it. Sources: linux/landlock.h, linux/seccomp.h, https://docs.kernel.org/userspace-api/landlock.html.
"""

import ctypes
import os
import signal
import stat
import struct
import sys

# System calls, which have the same number everywhere.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_SET_PDEATHSIG, _SET_SECCOMP, _SET_NO_NEW_PRIVS = 1, 22, 38
_MODE_FILTER, _KILL, _MOST_FILTER = 2, 9, 2**16

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_FILE, MAKE_REG = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
RIGHTS = {
    "--see": READ_FILE | READ_DIR | EXECUTE,
    "--read": READ_FILE,
    "--write": READ_FILE | WRITE_FILE | READ_DIR | REMOVE_FILE | MAKE_REG | TRUNCATE,
    "--device": READ_FILE | WRITE_FILE | IOCTL_DEV,
}
"""What may be done with the path that follows an option, and beneath it."""
# What each version of Landlock adds: all that it knows is refused unless a rule allows it.
_FILES_BY_VERSION = ((1, 0x1FFF), (2, 1 << 13), (3, TRUNCATE), (5, IOCTL_DEV))
_TCP, _SIGNALS_AND_SOCKETS = 0b11, 0b11

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the version of Landlock that the kernel has; 0: none, or it is off."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, _VERSION)))


def handled(known: int) -> tuple[int, int, int]:
    """Return what a version of Landlock can refuse: of files, of TCP, and of what is in no file."""
    files = 0
    for since, added in _FILES_BY_VERSION:
        files |= added if known >= since else 0
    return files, _TCP if known >= 4 else 0, _SIGNALS_AND_SOCKETS if known >= 6 else 0


def _checked(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
    return result


def _restrict(rules: list[tuple[str, str]]) -> None:
    known = version()
    if not known:
        raise OSError("Landlock is not there")
    files, tcp, scoped = handled(known)
    attributes = struct.pack("=QQQ", files, tcp, scoped)[: 24 if scoped else 16 if tcp else 8]
    ruleset = _checked(_libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0), "landlock_create_ruleset")
    for option, path in rules:
        try:
            beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # as a device that this machine has not
        allowed = RIGHTS[option] & files
        if not stat.S_ISDIR(os.fstat(beneath).st_mode):
            allowed &= _OF_FILES
        rule = struct.pack("=Qi", allowed, beneath)
        _checked(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"landlock_add_rule {path}")
        os.close(beneath)
    _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _filter(instructions: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    program = Program(len(instructions) // 8, instructions)
    _checked(_libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0), "seccomp")


def main(words: list[str]) -> None:
    """Confine this process as the options say, and run the command after `--`. Raises OSError."""
    command = words[words.index("--") + 1 :]
    options = iter(words[: words.index("--")])
    pairs = list(zip(options, options, strict=True))
    # Should Roomreel be killed itself, the kernel ends the program with it.
    _checked(_libc.prctl(_SET_PDEATHSIG, _KILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    _checked(_libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    _restrict([(option, value) for option, value in pairs if option in RIGHTS])
    for option, value in pairs:
        if option == "--seccomp":
            instructions = os.read(int(value), _MOST_FILTER)
            os.close(int(value))
            _filter(instructions)
    # Python ignores them, and what is ignored stays so.
    for number in (signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - what we become


if __name__ == "__main__":
    main(sys.argv[1:])

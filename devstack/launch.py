"""Become another program that cannot outlive its launcher: `python -I -S launch.py PPID SIGNAL USER -- COMMAND…`.

Runs between fork and the real program, as a program of its own, because code between fork and exec of a process with
threads is not safe. It gives up root where asked, asks the kernel for SIGNAL when the launcher dies (even by kill -9),
and replaces itself, so the process id stays. Standard library only; it must start in milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = "/"


def die_with(launcher: int, signal_number: int) -> None:
    """Must follow `become`: the kernel forgets the request when the user changes."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != launcher:  # it died before the request was made
        sys.exit(1)


def main(arguments: list[str]) -> None:
    launcher, signal_number, user = int(arguments[0]), int(arguments[1]), arguments[2]
    command = arguments[arguments.index("--") + 1 :]
    if user != "-":
        become(user)
    die_with(launcher, signal_number)
    os.umask(0o077)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])

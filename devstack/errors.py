"""What stops a stack from starting, each as one sentence that names the thing and the remedy."""

from __future__ import annotations

import errno
from pathlib import Path


class StackError(Exception):
    """A sentence for the person at the terminal; `exit_code` 2 means their request cannot be met as asked."""

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class PortTaken(StackError):
    """A server could not bind the port it was given; the caller may choose another."""


def port_taken(port: int, option: str = "--port") -> PortTaken:
    return PortTaken(
        f"Port {port} is already in use on 127.0.0.1: stop the program that holds it, "
        f"or choose another with {option} N.",
        exit_code=2,
    )


def disk_full(folder: Path) -> StackError:
    return StackError(
        f"The disk that holds {folder} is full: free at least 200 MB there, or choose another folder with --data DIR."
    )


def from_os_error(problem: OSError, folder: Path) -> StackError:
    """Turn what the operating system said into a sentence; the original text is kept where nothing better is known."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StackError(
            f"{problem.filename or folder} cannot be written by this user: run as the owner of {folder}, "
            "or choose another folder with --data DIR."
        )
    return StackError(f"The operating system refused something the stack needs: {problem}.")

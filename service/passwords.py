"""Passwords: argon2id away from the event loop, the same work whether a name exists or not, and which ones are refused."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from domain.errors import DomainError

SHORTEST, LONGEST = 10, 256
AT_ONCE, WAITING_AT_MOST = 2, 32
# OWASP's second choice for argon2id: 19 MiB, two passes. Two at once then cost 38 MiB while they run.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
# What guessing begins with among passwords that are long enough; each also with digits or signs behind it.
_REFUSED = (
    "password", "passw0rd", "p@ssword", "p@ssw0rd", "qwertyuiop", "qwerty", "qwertyui", "1q2w3e4r5t", "1qaz2wsx3edc",
    "asdfghjkl", "zxcvbnm", "iloveyou", "woaini", "woaini1314", "5201314", "a123456789", "abc123456", "abcd1234",
    "admin", "administrator", "letmein", "welcome", "changeme", "linli", "shenglilu", "yongchuan", "chongqing", "qq123456",
    "aa123456", "test", "testtest", "guest", "default", "secret", "dragon", "monkey", "football", "superman", "system",
)  # fmt: skip
_ROWS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def folded(password: str) -> str:
    """The same password however the keyboard composed it."""
    return unicodedata.normalize("NFKC", password)


def must_be_good(password: str, *about: str) -> None:
    """`about` are words that everybody knows of the person, such as the user name.

    Raises DomainError `password_refused`.
    """
    plain = folded(password)
    if len(plain) < SHORTEST:
        raise _refused(f"It needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise _refused(f"It has at most {LONGEST} characters.")
    low = plain.lower()
    if any(len(word) >= 3 and word.lower() in low for word in about):
        raise _refused("It must not hold your user name.")
    core = low.strip("0123456789!@#$%^&*()_+-=.,?~ ")
    common = low in _REFUSED or core in _REFUSED
    rows = (row for one in _ROWS for row in (one, one[::-1]))
    if common or len(set(low)) < 5 or any(low in row or (core and core in row) for row in rows):
        raise _refused("It is among the first that are guessed.")


def _refused(rule: str) -> DomainError:
    return DomainError("password_refused", rule, at_least=SHORTEST)


def generated() -> str:
    """Twenty letters and digits in groups, nearly 100 random bits; none is mistaken for another."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


class Passwords:
    """Hashes and checks in threads of its own, few at a time, so that neither the loop nor the memory suffers."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._hasher: Any = None
        self._dummy = ""
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises DomainError `too_many_requests` where too many wait already."""
        made: str = await self._apart(self._hash, password)
        return made

    async def check(self, password: str, hash: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a better hash of it where this one was made at another cost.

        Without a hash, the work is that of a wrong password. Raises DomainError `too_many_requests`.
        """
        found: tuple[bool, str | None] = await self._apart(self._check, password, hash)
        return found

    async def _apart(self, work: Any, *given: Any) -> Any:
        if self._waiting >= WAITING_AT_MOST:
            raise DomainError("too_many_requests", "Too many sign in at this moment.", retry_after_seconds=2)
        self._threads = self._threads or ThreadPoolExecutor(AT_ONCE, "passwords")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        finally:
            self._waiting -= 1

    def _ready(self) -> Any:
        if self._hasher is None:
            # Imported with the first sign-in: a process that nobody signs in to does not carry it.
            from pwdlib import PasswordHash
            from pwdlib.hashers.argon2 import Argon2Hasher

            hasher = PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES),))
            self._dummy = hasher.hash(secrets.token_urlsafe(16))
            self._hasher = hasher
        return self._hasher

    def _hash(self, password: str) -> str:
        made: str = self._ready().hash(folded(password))
        return made

    def _check(self, password: str, hash: str | None) -> tuple[bool, str | None]:
        fits, better = self._ready().verify_and_update(folded(password), hash or self._dummy)
        return (fits, better) if hash is not None else (False, None)


PASSWORDS = Passwords()
"""Those of this process."""

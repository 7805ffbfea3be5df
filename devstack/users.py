"""Who can sign in to a demo with a user name: one person for each role, all with the one password of the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from devstack.folder import DataFolder
from devstack.logins import Login
from domain.actors import SYSTEM
from domain.errors import DomainError
from service import user_accounts
from service.passwords import generated
from store.pool import Pool, open_pool


@dataclass(frozen=True)
class DemoUser:
    """`user` is the word of the role, as `grid_worker`; `id` is the person."""

    user: str
    role: str
    name: str
    id: str

    def facts(self) -> dict[str, str]:
        return asdict(self)


def demo_password(folder: DataFolder) -> str:
    """Made with the folder, the same at every start, and nowhere else."""
    return folder.secret("demo_password", generated)


def demo_users(everyone: Iterable[Login]) -> list[DemoUser]:
    """The first of each role; a person has one user name only."""
    found: dict[str, DemoUser] = {}
    for one in everyone:
        taken = any(one.id == user.id for user in found.values())
        if one.role != "resident" and one.role not in found and not taken:
            found[one.role] = DemoUser(one.role, one.role, one.name, one.id)
    return list(found.values())


def seed_users(database_url: str, users: Iterable[DemoUser], password: str) -> None:
    """Accounts that are there stay as they are: somebody may have given one another password, or disabled it."""
    asyncio.run(_seed(database_url, list(users), password))


async def _seed(database_url: str, users: list[DemoUser], password: str) -> None:
    pool = await open_pool(database_url, size=2)
    try:
        there = {row["person"] for row in await pool.fetch("select person from account")}
        for one in users:
            if one.id not in there:
                await _add(pool, one, password)
    finally:
        await pool.close()


async def _add(pool: Pool, one: DemoUser, password: str) -> None:
    try:
        await user_accounts.add(pool, one.id, one.user, password, by=SYSTEM.id, now=datetime.now(UTC))
    except DomainError as refused:
        if refused.code != "user_taken":  # by somebody whom an administrator gave this name
            raise

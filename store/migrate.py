"""Bring a database to the newest schema: `python -m store.migrate` with DATABASE_URL, or `upgrade(url)`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import SQLAlchemyError


def config(url: str) -> Config:
    here = Path(__file__).parent
    made = Config()
    made.set_main_option("script_location", str(here / "migrations"))
    made.attributes["url"] = url
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """Apply every migration that is missing. Running it twice, or from several places at once, is harmless."""
    command.upgrade(config(url), revision)


def main() -> int:
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        print("DATABASE_URL is not set. Give the database, for example postgresql://user:password@host/linli",
              file=sys.stderr)  # fmt: skip
        return 2
    try:
        upgrade(url)
    except (OSError, asyncpg.PostgresError, SQLAlchemyError) as wrong:
        print(f"The database at DATABASE_URL cannot be migrated: {type(wrong).__name__}. {wrong}", file=sys.stderr)
        return 1
    print("migrated")
    return 0


if __name__ == "__main__":
    sys.exit(main())

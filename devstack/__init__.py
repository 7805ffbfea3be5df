"""The embedded default: PostgreSQL, Temporal, worker and API in one command, with nothing installed beforehand."""

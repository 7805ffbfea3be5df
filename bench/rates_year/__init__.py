"""A year of demands in a minute: lives made by the pure decider, written as in production, counted twice and compared."""

"""The clocks of a demand's state as rows of `clock`, in SQL: the state is on its way into the database anyway.

Reading them out of it there costs a third of sending them beside it, which intake feels (`./run bench intake`).
"""

from __future__ import annotations

COLUMNS = "number, name, due_at, started_at, paused_at, breached, warned, provisional"


def ticking(source: str) -> str:
    """A query for the clocks that still tick, of every row of `source`, which has a `number` and a `state` (jsonb).

    The reopen window is left out: it runs when the demand is closed, and nobody watches it.
    """
    return f"""
    select {source}.number, c.key as name,
        case when c.value->>'paused_at' is null then (c.value->>'due_at')::timestamptz end as due_at,
        (c.value->>'started_at')::timestamptz as started_at, (c.value->>'paused_at')::timestamptz as paused_at,
        coalesce((c.value->>'breached')::bool, false) as breached,
        case when c.value->>'done' is null then 0 else (
            select coalesce(max(rtrim(step, '%')::smallint), 0)
            from jsonb_array_elements_text(c.value->'done') step where right(step, 1) = '%'
        ) end as warned,
        coalesce((c.value->>'provisional')::bool, false) as provisional
    from {source}, jsonb_each({source}.state->'clocks') c
    where c.value->>'stopped_at' is null and c.key <> 'reopen'
    """

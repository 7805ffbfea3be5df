"""What a page says of whom it is for. Judged by `web/page.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from domain.needs import Need

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_MARK = "page_need"


def page(need: Need) -> Callable[[Endpoint], Endpoint]:
    """Say whom a page is for. A page that does not say it is open to nobody."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, need)
        return endpoint

    return mark


def need_of(endpoint: Callable[..., Any]) -> Need | None:
    return getattr(endpoint, _MARK, None)

"""What services answered over HTTP while the library was sending: it keeps only yes or no.

Some say "refused" with status 200 and a code in the body (WeCom, DingTalk, Feishu), which the library takes for a yes.
Its plugins open a session of their own for each request, so the one place where every answer passes is
`requests.Session.send`; there whoever listens is told of it. Nothing of an answer is kept but numbers.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import ProtocolError

from domain.delivery import Outcome, Reason, refused, try_again

# Where the body's own code stands. 0 is a yes.
_CODE_OF = {"wecombot": "errcode", "wechat": "errcode", "dingtalk": "errcode", "feishu": "code", "lark": "code"}
_TOO_MANY = frozenset({45009, 130101, 660026, 9499, 11232, 11233})
_LONGEST_BODY = 10_000


@dataclass(frozen=True)
class Heard:
    """One answer, or what came instead of it."""

    status: int | None = None
    codes: tuple[tuple[str, int], ...] = ()
    reason: Reason | None = None


# A variable of the context: the library may send from yet another thread, to which it hands its context.
_listener: ContextVar[list[Heard] | None] = ContextVar("linli_apprise_answers", default=None)
_installing = threading.Lock()


@contextlib.contextmanager
def listening() -> Iterator[list[Heard]]:
    """What the requests of this context are answered until the end of the block."""
    _install()
    heard: list[Heard] = []
    token = _listener.set(heard)
    try:
        yield heard
    finally:
        _listener.reset(token)


def judged(heard: list[Heard], schema: str, *, taken: bool) -> Outcome | None:
    """The first thing that was not a yes; None when all was. `taken` is what the library says."""
    found = [outcome for one in heard if (outcome := _of_one(one, schema)) is not None]
    if found:
        return found[0]
    return None if taken else try_again(Reason.UNKNOWN)


def hush() -> None:
    """The library's lines name hosts, numbers and what is sent."""
    for name in ("apprise", "requests", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 10)


def _of_one(one: Heard, schema: str) -> Outcome | None:
    if one.reason is not None:
        return try_again(one.reason)
    if one.status is not None and one.status >= 300:
        return _of_status(one.status)
    code = dict(one.codes).get(_CODE_OF.get(schema, ""), 0)
    if code == 0:
        return None
    return try_again(Reason.RATE_LIMITED if code in _TOO_MANY else Reason.GATEWAY_REFUSED)


def _of_status(status: int) -> Outcome:
    if status == 429:
        return try_again(Reason.RATE_LIMITED)
    if status in (401, 403, 407):
        return try_again(Reason.LOGIN_REFUSED)
    if status in (502, 503, 504):
        return try_again(Reason.UNREACHABLE)
    if status in (408, 425) or status >= 500:
        return try_again(Reason.BUSY)
    if status in (400, 413, 422):
        return refused(Reason.REFUSED_MESSAGE)
    return try_again(Reason.GATEWAY_REFUSED)


def _install() -> None:
    with _installing:
        plain: Any = requests.Session.send
        if getattr(plain, "tells_listeners", False):
            return

        @functools.wraps(plain)
        def send(session: requests.Session, request: Any, **options: Any) -> Any:
            heard = _listener.get()
            if heard is None:
                return plain(session, request, **options)
            try:
                answer = plain(session, request, **options)
            except requests.RequestException as failed:
                heard.append(Heard(reason=_why(failed)))
                raise
            if not answer.is_redirect:
                heard.append(Heard(status=answer.status_code, codes=_codes(answer)))
            return answer

        send.tells_listeners = True  # type: ignore[attr-defined]
        setattr(requests.Session, "send", send)  # noqa: B010  (the type of a method is not for assigning)


def _why(failed: requests.RequestException) -> Reason:
    if isinstance(failed, requests.exceptions.SSLError):
        return Reason.TLS_FAILED
    if isinstance(failed, requests.exceptions.ConnectTimeout):
        return Reason.UNREACHABLE
    # The connection stood: the request may have been read, and acted upon.
    if isinstance(failed, requests.exceptions.ReadTimeout):
        return Reason.ANSWER_LOST
    if isinstance(failed, requests.exceptions.ConnectionError):
        return Reason.ANSWER_LOST if failed.args and isinstance(failed.args[0], ProtocolError) else Reason.UNREACHABLE
    return Reason.UNKNOWN


def _codes(answer: requests.Response) -> tuple[tuple[str, int], ...]:
    if not 0 < len(answer.content) <= _LONGEST_BODY:
        return ()
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ()
    if not isinstance(body, dict):
        return ()
    return tuple((k, body[k]) for k in ("errcode", "code") if type(body.get(k)) is int)

"""Logs: one JSON object a line on standard error, and nothing in it that says who a resident is.

Three nets, because one always has a hole: keys on a deny-list are dropped at any depth; numbers that look like a mobile
phone or an identity card, and query strings, are masked wherever they stand; objects and exception messages are never
printed (a model's repr shows its fields; a database error quotes the row).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from types import TracebackType
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.settings import PROJECT_ROOT

request_id: ContextVar[str | None] = ContextVar("linli_request_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("linli_traceparent", default=None)
"""W3C Trace Context, where the caller sent one; its second part is the `trace_id` of our lines."""

# Matched against the words of a key: `reporter_name` holds `reporter` and `name`, and is dropped.
# fmt: off
DENIED_WORDS = frozenset({
    "text", "name", "phone", "mobile", "tel", "telephone", "address", "reporter", "note", "body", "contact",
    "message", "content", "description", "reply", "comment", "reason", "room", "household", "building", "email",
    "mail", "idcard", "identity", "birthday", "lat", "lon", "lng", "latitude", "longitude", "location", "token",
    "authorization", "cookie", "password", "secret", "query", "headers", "args", "kwargs", "params", "parameters",
    "statement", "sql", "input", "attachments", "payload", "url", "uri",
})
# fmt: on
# Keys of our own log lines whose words are denied but whose values never are personal.
_ALLOWED_KEYS = frozenset({"reason_code"})

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_PERSONAL_NUMBER = re.compile(r"(?<!\d)(?:1[3-9]\d[ -]?\d{4}[ -]?\d{4}|\d{17}[\dXx])(?!\d)")
# Client libraries log whole addresses; what was searched for stands behind the question mark.
_QUERY = re.compile(r"(?<=[\w/%}.-])\?[^\s\"'<>]*=[^\s\"'<>]*")
_MAX_DEPTH = 6
_MAX_ITEMS = 100
_MAX_CHARS = 2_000


def is_denied(key: str) -> bool:
    return key not in _ALLOWED_KEYS and not DENIED_WORDS.isdisjoint(w.lower() for w in _WORDS.findall(key))


def withhold_personal_data(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop denied keys at any depth, mask numbers, and turn objects into their type's name."""
    clean = _clean_mapping(event, 0)
    withheld = _count_denied(event, 0)
    if withheld:
        clean["withheld"] = withheld
    return clean


def _count_denied(value: object, depth: int) -> int:
    if depth > _MAX_DEPTH:
        return 0
    if isinstance(value, Mapping):
        return sum(1 if is_denied(str(k)) else _count_denied(v, depth + 1) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return sum(_count_denied(item, depth + 1) for item in value[:_MAX_ITEMS])
    return 0


def _clean_mapping(value: Mapping[object, object] | EventDict, depth: int) -> dict[str, object]:
    return {_masked(str(k)): _clean(v, depth + 1) for k, v in value.items() if not is_denied(str(k))}


def _masked(text: str) -> str:
    if len(text) > _MAX_CHARS:  # a traceback says what is wrong in its last line
        text = f"{text[: _MAX_CHARS // 2]} … {text[-_MAX_CHARS // 2 :]}"
    return _QUERY.sub("?***", _PERSONAL_NUMBER.sub("***", text))


def _clean(value: object, depth: int) -> object:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, (str, int, UUID, PurePath)):
        masked = _masked(str(value))
        return value if type(value) is int and masked == str(value) else masked
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Enum):
        return _clean(value.value, depth)
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return _clean_mapping(value, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item, depth + 1) for item in list(value)[:_MAX_ITEMS]]
    return f"<{type(value).__qualname__}>"


def add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    trace = traceparent.get()
    if trace is not None:
        event.setdefault("trace_id", trace.split("-")[1])
    return event


def describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Say where it broke and of which types, without the messages: they may quote what a resident wrote."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["frames"] = _frames(error.__traceback__)
        cause = error.__cause__ or error.__context__
        if cause is not None:
            event["cause"] = type(cause).__qualname__
            event["cause_frames"] = _frames(cause.__traceback__)[-5:]
    return event


def _frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = code.co_filename.removeprefix(f"{PROJECT_ROOT}/").rpartition("site-packages/")[2]
        frames.append(f"{file}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-20:]


def _processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        add_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        describe_exception,
        withhold_personal_data,
    ]


def configure_logging(level: str) -> None:
    """Send structlog, the standard library and uvicorn through the same nets; uvicorn's access log is turned off.

    The access log prints paths with their query strings, and a search is personal data. `LINLI_ACCESS_LOG` brings our
    own line, which has the route's template instead.
    """
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=lambda v: f"<{type(v).__qualname__}>")
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_processors(), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_processors(),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # At debug libraries print what they work on: words in a photograph, the body of a message.
    root.setLevel(max(threshold, logging.INFO))
    # It prints every address that is asked, and the path of a receiver's hook may be its secret.
    logging.getLogger("httpx2").setLevel(max(threshold, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"
        logger.setLevel(logging.NOTSET)
    logging.getLogger("uvicorn.access").disabled = True

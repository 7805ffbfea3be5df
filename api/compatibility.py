"""What a change of the OpenAPI document would break for the clients there are (docs/reference/api-rules.md).

Adding is free: operations, optional parameters and fields, fields of answers, values that are taken. Everything else is a
break, unless the operation was declared deprecated and the day of its sunset has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

Schema = dict[str, Any]

_CHOICES = ("anyOf", "oneOf", "allOf")


def broken(before: Schema, now: Schema, today: date) -> list[str]:
    """One sentence for each thing that clients of `before` would miss in `now`; none means that it may be released."""
    found: list[str] = []
    for path, methods in before["paths"].items():
        for method, operation in methods.items():
            changed = now["paths"].get(path, {}).get(method)
            if changed is None:
                if not _is_over(operation, today):
                    found.append(f"{method.upper()} {path} is gone")
                continue
            found += _Pair(before, now, f"{method.upper()} {path}").operation(operation, changed)
    return list(dict.fromkeys(found))


def _is_over(operation: Schema, today: date) -> bool:
    sunset = operation.get("x-sunset")
    return bool(operation.get("deprecated") and sunset and date.fromisoformat(sunset) <= today)


class _Pair:
    """One operation in both documents."""

    def __init__(self, before: Schema, now: Schema, where: str) -> None:
        self._before, self._now, self._where = before, now, where
        self._seen: set[tuple[str, str]] = set()

    def operation(self, before: Schema, now: Schema) -> Iterator[str]:
        if before["operationId"] != now["operationId"]:
            yield self._say(f"operation id {before['operationId']} is now {now['operationId']}")
        yield from self._parameters(before, now)
        asked, asks = before.get("requestBody"), now.get("requestBody")
        if asked is not None and asks is not None:
            yield from self._contents(asked, asks, "body", asked=True)
        if asks is not None and asks.get("required") and not (asked or {}).get("required"):
            yield self._say("a body is now required")
        for status, answer in before["responses"].items():
            if not status.startswith("2"):
                continue
            if status not in now["responses"]:
                yield self._say(f"answer {status} is gone")
            else:
                yield from self._contents(answer, now["responses"][status], f"answer {status}", asked=False)

    def _parameters(self, before: Schema, now: Schema) -> Iterator[str]:
        were = {(p["in"], p["name"]): p for p in before.get("parameters", ())}
        are = {(p["in"], p["name"]): p for p in now.get("parameters", ())}
        for key, parameter in were.items():
            if key not in are:
                yield self._say(f"{key[0]} parameter `{key[1]}` is gone")
            else:
                yield from self._schemas(parameter["schema"], are[key]["schema"], f"parameter `{key[1]}`", asked=True)
        for key, parameter in are.items():
            if parameter.get("required") and not were.get(key, {}).get("required"):
                yield self._say(f"{key[0]} parameter `{key[1]}` is now required")

    def _contents(self, before: Schema, now: Schema, part: str, *, asked: bool) -> Iterator[str]:
        for media_type, content in before.get("content", {}).items():
            other = now.get("content", {}).get(media_type)
            if other is None:
                yield self._say(f"{part}: {media_type} is gone")
            else:
                yield from self._schemas(content.get("schema", {}), other.get("schema", {}), part, asked=asked)

    def _schemas(self, before: Schema, now: Schema, part: str, *, asked: bool) -> Iterator[str]:
        pair = (str(before.get("$ref")), str(now.get("$ref")))
        if pair != ("None", "None"):
            if pair in self._seen:
                return
            self._seen.add(pair)
        was, is_now = _resolved(before, self._before), _resolved(now, self._now)
        yield from self._values(was, is_now, part, asked=asked)
        yield from self._fields(was, is_now, part, asked=asked)
        if "items" in was:
            yield from self._schemas(was["items"], is_now.get("items", {}), f"{part}[]", asked=asked)
        yield from self._choices(was, is_now, part, asked=asked)

    def _values(self, was: Schema, is_now: Schema, part: str, *, asked: bool) -> Iterator[str]:
        if {"type", "enum", "const"} & is_now.keys() and was.get("type") != is_now.get("type") and "type" in was:
            yield self._say(f"{part}: {was['type']} is now {is_now.get('type')}")
        values = set(_values_of(was))
        if asked and (gone := values - set(_values_of(is_now))) and _values_of(is_now):
            yield self._say(f"{part}: no longer takes {', '.join(sorted(map(str, gone)))}")

    def _fields(self, was: Schema, is_now: Schema, part: str, *, asked: bool) -> Iterator[str]:
        fields = is_now.get("properties", {})
        for name, field in was.get("properties", {}).items():
            if name in fields:
                yield from self._schemas(field, fields[name], f"{part}.{name}", asked=asked)
            elif (asked and is_now.get("additionalProperties", True) is False) or not asked:
                yield self._say(f"{part}.{name} is gone")
        before, now = set(was.get("required", ())), set(is_now.get("required", ()))
        for name in sorted(now - before if asked else before - now):
            if "properties" in was and (asked or name in fields):
                yield self._say(f"{part}.{name} is now {'required' if asked else 'not always there'}")

    def _choices(self, was: Schema, is_now: Schema, part: str, *, asked: bool) -> Iterator[str]:
        for word in _CHOICES:
            are = {_name_of(one): one for one in is_now.get(word, ())}
            for one in was.get(word, ()):
                name = _name_of(one)
                if name in are:
                    yield from self._schemas(one, are[name], part, asked=asked)
                elif asked:
                    yield self._say(f"{part}: {name} is gone")

    def _say(self, what: str) -> str:
        return f"{self._where}: {what}"


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _values_of(schema: Schema) -> list[Any]:
    return list(schema.get("enum", [schema["const"]] if "const" in schema else []))


def _name_of(schema: Schema) -> str:
    return str(schema.get("$ref", schema.get("title", schema.get("type", "")))).rpartition("/")[2]

"""Which version of something stands, and that nobody overwrites one that they have not seen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from domain.errors import DomainError
from service.desk import Desk
from service.publish_in_force import InForce
from service.views import View, instant, person_view
from store.publications import Publication

ANY = "*"


@dataclass(frozen=True)
class Version:
    """The newest version of one thing, also where it is yet to take effect.

    `body` is JSON, None where there is no such thing yet; `by` is None for what comes from the pack's files.
    """

    kind: str
    key: str
    body: str | None
    by: Publication | None = None

    @property
    def name(self) -> str:
        """Another one for every publication, and for every other content of the files."""
        return f"{0 if self.by is None else self.by.id}-{digest(self.body)}"


def digest(body: str | None) -> str:
    said = None if body is None else json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(str(said).encode()).hexdigest()[:8]


def newest(standing: InForce, kind: str, key: str, file: str | None) -> Version:
    """`file` is what the pack's files say of it, as JSON."""
    line = standing.line(kind, key)
    return Version(kind, key, json.dumps(line[-1].body), line[-1]) if line else Version(kind, key, file)


def must_match(desk: Desk, version: Version, if_match: tuple[str, ...] | None, *, required: bool) -> None:
    """Raises DomainError `changed_meanwhile` when the caller means another version, `if_match_required` when it does not
    say which one it has seen and there is one to be seen."""
    if if_match is None:
        if required and version.body is not None:
            rule = "Say which version you have seen: send the ETag of the GET as If-Match."
            raise DomainError("if_match_required", rule, version=version.name)
        return
    if version.name in if_match or (ANY in if_match and version.body is not None):
        return
    rule = "It is not what you have seen any more. Read it again, enter your change there, and send the new ETag."
    raise DomainError("changed_meanwhile", rule, version=version.name, **_changed(desk, version))


def _changed(desk: Desk, version: Version) -> dict[str, Any]:
    if version.by is None:
        return {}
    return {"changed_by": person_view(desk, version.by.published_by), "changed_at": instant(version.by.published_at)}


def scheduled(desk: Desk, standing: InForce, kind: str, key: str) -> list[View]:
    """What of it is yet to take effect, soonest first."""
    return [
        {
            "publication": one.id, "effective_at": instant(one.effective_at), "body": one.body,
            "published_by": person_view(desk, one.published_by), "published_at": instant(one.published_at),
        }
        for one in standing.ahead()
        if (one.kind, one.key) == (kind, key)
    ]  # fmt: skip

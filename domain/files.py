"""Uploaded files: what may come in, told by its first bytes, and who may look at it. Names and declared types are not asked."""

from __future__ import annotations

from typing import Literal

from domain.actors import Actor, reporter_of
from domain.demand import Demand
from domain.lifecycle import may_see
from domain.privacy import Field, Sight, sight
from domain.vocabulary import Role

FileKind = Literal["image", "document"]

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
ENDINGS = {JPEG: "jpg", PNG: "png", WEBP: "webp", PDF: "pdf"}
"""Media type -> what a file is called by when somebody saves it. Nothing else is taken in."""

HEAD_BYTES = 16
PUBLIC_WITH = frozenset({"submit", "resolve"})
"""What a file may have been attached with for the reporter to see it: the demand itself, and the answer."""
_ISO_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif")


def media_type_of(head: bytes) -> str | None:
    """The type of a file that starts like this, or None for one that is not taken in. A signature stands at the very start."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"%PDF-"):
        return PDF
    return None


def is_phone_format(head: bytes) -> bool:
    """HEIC or AVIF: what some phones take, and nearly every phone can turn into JPEG by itself."""
    return head[4:8] == b"ftyp" and head[8:12] in _ISO_BRANDS


def kind_of(media_type: str) -> FileKind:
    return "document" if media_type == PDF else "image"


def may_see_file(demand: Demand, actor: Actor, *, uploader: str, attached_with: str) -> bool:
    """Whether somebody may look at a file of a demand; a photograph can show faces, homes and number plates.

    It is like a text: public to the reporter if it came with the demand or with the answer, internal otherwise. What the
    reporter sent cannot be masked, so who may see words only masked does not see it.
    """
    if not may_see(demand, actor) or all(grant.role is Role.AUDITOR for grant in actor.grants):
        return False
    if actor.id == uploader:
        return True
    reporters_own = uploader in (demand.opened_by, reporter_of(demand.number))
    public = attached_with in PUBLIC_WITH or reporters_own
    needed = Sight.FULL if attached_with == "submit" or reporters_own else Sight.MASKED
    return sight(demand, actor, Field.PUBLIC_TEXT if public else Field.INTERNAL_TEXT) >= needed

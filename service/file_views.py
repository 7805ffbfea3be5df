"""How an uploaded file looks: JSON-ready, without its content and without the place where it was taken."""

from __future__ import annotations

from service.views import View, instant
from store.files import StoredFile


def thumbnail_of(file_id: str) -> str:
    """The name of the content that is its small picture."""
    return f"{file_id}.small"


def file_view(file: StoredFile) -> View:
    url = f"/api/v1/files/{file.id}"
    return {
        "id": file.id,
        "kind": file.kind,
        "media_type": file.media_type,
        "bytes": file.size,
        "width": file.width,
        "height": file.height,
        "taken_at": instant(file.taken_at),
        "created_at": instant(file.created_at),
        "number": file.number,
        "attached_with": file.attached_with,
        "has_location": file.gps is not None,
        "url": url,
        "thumbnail_url": f"{url}/thumbnail" if file.kind == "image" else None,
    }

"""What is sent to manage webhooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.forms import Instant

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:*-]+$")]
Codes = Annotated[tuple[Code, ...], Field(max_length=60)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WebhookForm(_Form):
    """Where events go and which. An empty list means all; `linli.clock.*` means every type that begins so."""

    url: Annotated[str, StringConstraints(min_length=8, max_length=2_000)]
    description: Annotated[str, StringConstraints(max_length=200)] = ""
    types: Codes = ()
    communities: Codes = ()
    categories: Codes = ()


class Enable(_Form):
    """Send again. With `catch_up` also what happened while it was disabled."""

    type: Literal["enable"]
    catch_up: bool = True


class Disable(_Form):
    type: Literal["disable"]


class Rotate(_Form):
    """A new secret; the old one signs beside it for `overlap_hours`."""

    type: Literal["rotate"]
    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Ping(_Form):
    """Send a test event, once; what came of it stands in the deliveries."""

    type: Literal["ping"]


class Resend(_Form):
    """One delivery again, whatever became of it."""

    type: Literal["resend"]
    delivery: Annotated[int, Field(ge=1, le=2**62)]


class ResendFailed(_Form):
    """Everything that was given up."""

    type: Literal["resend_failed"]


class Replay(_Form):
    """Every event of a span that the webhook takes, also what it has had or never got. Done in the background."""

    type: Literal["replay"]
    from_at: Instant
    until_at: Instant


WebhookAction = Annotated[
    Enable | Disable | Rotate | Ping | Resend | ResendFailed | Replay, Field(discriminator="type")
]

"""The settings of identity refuse what would open a door."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from runtime.settings import Settings
from tests.builders import KEY

GOOD: dict[str, Any] = {"database_url": "postgresql://linli@127.0.0.1/linli", "data_keys": KEY}
ISSUER, PUBLIC = "https://sso.example.cn/realms/city", "https://linli.example.cn"


def test_a_provider_and_the_way_back() -> None:
    settings = Settings.model_validate({**GOOD, "oidc_issuer": ISSUER, "public_url": f"{PUBLIC}/"})
    assert (settings.oidc_issuer, settings.public_url) == (ISSUER, PUBLIC)
    assert settings.plain_http_cookie is False


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"oidc_issuer": ISSUER}, "LINLI_PUBLIC_URL"),
        ({"oidc_issuer": "http://sso.example.cn", "public_url": PUBLIC}, "https"),
        ({"oidc_issuer": "http://127.0.0.1.evil.example", "public_url": PUBLIC}, "https"),
        ({"oidc_issuer": f"{ISSUER}?x=1", "public_url": PUBLIC}, "https"),
        ({"public_url": "http://linli.example.cn"}, "https"),
        ({"public_url": f"{PUBLIC}/linli"}, "without a path"),
        ({"public_url": "javascript:alert(1)"}, "https"),
        ({"session_days": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_used_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({**GOOD, **change})
    assert says in str(refused.value)

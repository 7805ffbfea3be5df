"""Authorization code flow with PKCE (RFC 7636) at a provider that is found by discovery (OpenID Connect Core 1.0).

    begin() ──> the browser goes to the provider ──> code ──> finish(): token endpoint, ID token checked by JWKS

The ID token counts only with a signature of an asymmetric kind, by a key that the provider shows now, and with the issuer,
audience, expiry and nonce that belong to this very sign-in.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_SECONDS = 60
DISCOVERY_LASTS_SECONDS = 3_600.0
TIMEOUT_SECONDS = 10.0
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Refused(Exception):
    """What the provider sent does not show who it is. The text names the reason and nobody."""


class Unreachable(Exception):
    """The provider does not answer, or not as a provider."""


@dataclass(frozen=True)
class Begun:
    """`url` is where the browser goes; the rest is kept until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class Provider:
    """Remembers what the provider says about itself, and its keys until it signs with another one."""

    def __init__(
        self, issuer: str, *, client_id: str, client_secret: str | None, redirect_uri: str,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._metadata: Mapping[str, Any] = {}
        self._known_until = 0.0
        self._keys: Mapping[str, Any] | None = None

    def _client(self) -> AsyncOAuth2Client:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            client_id=self._client_id, client_secret=self._client_secret, redirect_uri=self._redirect_uri,
            scope="openid profile", code_challenge_method="S256", timeout=TIMEOUT_SECONDS,
            token_endpoint_auth_method="client_secret_basic" if self._client_secret else "none",
        )  # fmt: skip

    async def begin(self) -> Begun:
        """Raises Unreachable."""
        endpoint = (await self._discovered())["authorization_endpoint"]
        state, nonce, verifier = (secrets.token_urlsafe(n) for n in (32, 32, 48))
        async with self._client() as client:
            url, _ = client.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier)
        return Begun(url, state, nonce, verifier)

    async def finish(self, code: str, *, verifier: str, nonce: str) -> Mapping[str, Any]:
        """The claims of the ID token, all checked. Raises Refused, Unreachable."""
        from authlib.integrations.base_client import OAuthError
        from httpx2 import HTTPError

        endpoint = (await self._discovered())["token_endpoint"]
        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    endpoint, code=code, code_verifier=verifier, grant_type="authorization_code"
                )
        except OAuthError as refused:
            raise Refused(f"the provider refused the code: {refused.error}") from None
        except (HTTPError, ValueError) as down:
            raise Unreachable(type(down).__name__) from None
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise Refused("the provider sent no ID token")
        return await self._checked(id_token, nonce)

    async def end_session_url(self) -> str | None:
        """Where the browser signs out at the provider itself; None where it offers nothing, or is away."""
        try:
            endpoint = (await self._discovered()).get("end_session_endpoint")
        except Unreachable:
            return None
        if not isinstance(endpoint, str) or not self._may_be_asked(endpoint):
            return None
        joint = "&" if "?" in endpoint else "?"
        return endpoint + joint + urlencode({"client_id": self._client_id})

    # -- what the provider says about itself ---------------------------------------------------------------------

    async def _discovered(self) -> Mapping[str, Any]:
        if self._clock() < self._known_until:
            return self._metadata
        found = await self._read(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise Unreachable("its configuration names another issuer")
        if not all(isinstance(found.get(name), str) and self._may_be_asked(found[name]) for name in _ENDPOINTS):
            raise Unreachable("its configuration lacks an endpoint, or has one without https")
        self._metadata, self._known_until = found, self._clock() + DISCOVERY_LASTS_SECONDS
        return found

    def _may_be_asked(self, url: str) -> bool:
        return urlsplit(url).scheme == "https" or urlsplit(url).scheme == urlsplit(self.issuer).scheme

    async def _read(self, url: str) -> Mapping[str, Any]:
        from httpx2 import AsyncClient, HTTPError

        try:
            async with AsyncClient(timeout=TIMEOUT_SECONDS) as http:
                answer = await http.get(url)
            found = answer.json() if answer.status_code == 200 else None
        except (HTTPError, ValueError) as down:
            raise Unreachable(type(down).__name__) from None
        if not isinstance(found, dict):
            raise Unreachable(f"answered {answer.status_code}")
        return found

    # -- the ID token --------------------------------------------------------------------------------------------

    async def _checked(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        from joserfc import jws, jwt
        from joserfc.errors import JoseError

        try:
            header = jws.extract_compact(id_token.encode()).protected
            if header.get("alg") not in ALGORITHMS:
                raise Refused("the ID token is signed in a way that proves nothing")
            key = await self._key(header.get("kid"))
            claims: Mapping[str, Any] = jwt.decode(id_token, key, algorithms=list(ALGORITHMS)).claims
            _registry(self.issuer, self._client_id, int(self._clock())).validate(dict(claims))
        except (JoseError, ValueError, TypeError) as wrong:
            raise Refused(f"the ID token does not hold: {type(wrong).__name__}") from None
        _must_be_for_us(claims, self._client_id, nonce)
        return claims

    async def _key(self, kid: object) -> Any:
        """The one it was signed with; the provider's keys are read again where it is not among those known."""
        found = self._among_known(kid)
        if found is None:
            self._keys = await self._read((await self._discovered())["jwks_uri"])
            found = self._among_known(kid)
        if found is None:
            raise Refused("the ID token is signed with a key that the provider does not show")
        return found

    def _among_known(self, kid: object) -> Any:
        """Without a key id there must be one key only."""
        from joserfc.jwk import import_key

        keys = (self._keys or {}).get("keys")
        shown = [one for one in keys if isinstance(one, dict)] if isinstance(keys, list) else []
        usable = [one for one in shown if one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig"]
        fits = [one for one in usable if kid is None or one.get("kid") == kid]
        return import_key(fits[0]) if len(fits) == 1 else None


def _registry(issuer: str, client_id: str, now: int) -> Any:
    from joserfc.jwt import JWTClaimsRegistry

    return JWTClaimsRegistry(
        now=now, leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": client_id},
        sub={"essential": True}, exp={"essential": True}, iat={"essential": True},
    )  # fmt: skip


def _must_be_for_us(claims: Mapping[str, Any], client_id: str, nonce: str) -> None:
    sent = claims.get("nonce")
    if not isinstance(sent, str) or not secrets.compare_digest(sent.encode(), nonce.encode()):
        raise Refused("the ID token belongs to another sign-in")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise Refused("the ID token was made for another client")

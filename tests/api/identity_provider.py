"""A small OpenID Connect provider, real in everything that a client sees: HTTP, discovery, JWKS, code flow, PKCE, rotation.

It keeps the rules that a good one keeps. `mischief` makes its ID tokens wrong in one way, as a hostile one's would be.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "linli-client", "a client secret for tests"
Claims = dict[str, Any]
Mischief = Callable[["IdentityProvider", Claims], str]


@dataclass
class _Code:
    client: str
    redirect_uri: str
    challenge: str
    nonce: str
    claims: Claims


@dataclass
class IdentityProvider:
    """`who` are the claims of whoever sits at the browser; `asked` counts requests by path."""

    who: Claims = field(default_factory=lambda: {"sub": "subject-1", "preferred_username": "nobody"})
    mischief: Mischief | None = None
    kind: str = "EC"
    named_issuer: str = ""
    asked: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._codes: dict[str, _Code] = {}
        self.keys: list[Any] = []
        self.rotate()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, self.path, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                provider.answer(self, self.path, {k: v[0] for k, v in parse_qs(body).items()})

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = self.named_issuer = f"http://127.0.0.1:{self._server.server_port}/realms/city"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def rotate(self) -> None:
        """Sign with a new key from now on, and show only that one."""
        parameters = {"kid": secrets.token_hex(4), "use": "sig"}
        make: Any = RSAKey if self.kind == "RSA" else ECKey
        self.keys = [make.generate_key(2048 if self.kind == "RSA" else "P-256", parameters)]

    @property
    def algorithm(self) -> str:
        return "RS256" if self.kind == "RSA" else "ES256"

    def sign(self, claims: Claims, key: Any = None, **header: Any) -> str:
        key = key or self.keys[-1]
        return jwt.encode({"alg": self.algorithm, "kid": self.keys[-1].kid, **header}, claims, key)

    # ---- what it serves

    def answer(self, http: BaseHTTPRequestHandler, path: str, form: dict[str, str]) -> None:
        url = urlsplit(path)
        name = url.path.removeprefix("/realms/city")
        self.asked[name] = self.asked.get(name, 0) + 1
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        if name == "/.well-known/openid-configuration":
            self._json(http, 200, self._configuration())
        elif name == "/jwks":
            self._json(http, 200, {"keys": [key.as_dict(private=False) for key in self.keys]})
        elif name == "/authorize":
            self._authorize(http, query)
        elif name == "/token" and http.command == "POST":
            self._token(http, form)
        else:
            self._json(http, 404, {"error": "not_found"})

    def _configuration(self) -> dict[str, Any]:
        at = self.issuer
        return {
            "issuer": self.named_issuer, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/jwks", "end_session_endpoint": f"{at}/logout", "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": [self.algorithm],
        }  # fmt: skip

    def _authorize(self, http: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        asks = (query.get("response_type"), query.get("client_id"), query.get("code_challenge_method"))
        if asks != ("code", CLIENT, "S256") or "openid" not in query.get("scope", "").split():
            self._json(http, 400, {"error": "invalid_request"})
            return
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Code(
            CLIENT, query["redirect_uri"], query["code_challenge"], query["nonce"], dict(self.who)
        )  # fmt: skip
        back = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
        http.send_response(302)
        http.send_header("Location", f"{query['redirect_uri']}?{back}")
        http.send_header("Content-Length", "0")
        http.end_headers()

    def _token(self, http: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if http.headers.get("Authorization") != f"Basic {basic}":
            self._json(http, 401, {"error": "invalid_client"})
            return
        code = self._codes.pop(form.get("code", ""), None)  # good for once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = code is not None and (code.redirect_uri, code.challenge) == (
            form.get("redirect_uri"), challenge.decode().rstrip("="),
        )  # fmt: skip
        if code is None or not fits or form.get("grant_type") != "authorization_code":
            self._json(http, 400, {"error": "invalid_grant"})
            return
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": code.nonce, **code.claims}
        id_token = self.mischief(self, claims) if self.mischief else self.sign(claims)
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300}
        self._json(http, 200, {**answer, "id_token": id_token})

    def _json(self, http: BaseHTTPRequestHandler, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        http.send_response(status)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(raw)))
        http.end_headers()
        http.wfile.write(raw)


# ---- the ways in which an ID token can be wrong


def _part(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def changed(**claims: Any) -> Mischief:
    """Signed well, with other claims; None takes one out."""
    return lambda provider, good: provider.sign({k: v for k, v in {**good, **claims}.items() if v is not None})


def unsigned(provider: IdentityProvider, claims: Claims) -> str:
    words = ({"alg": "none", "kid": provider.keys[-1].kid}, claims)
    return b".".join([*(_part(json.dumps(one).encode()) for one in words), b""]).decode()


def signed_with_the_client_secret(provider: IdentityProvider, claims: Claims) -> str:
    return provider.sign(claims, OctKey.import_key(SECRET), alg="HS256")


def signed_with_the_public_key_as_secret(provider: IdentityProvider, claims: Claims) -> str:
    """Put together by hand: no library lends itself to it."""
    words = ({"alg": "HS256", "typ": "JWT", "kid": provider.keys[-1].kid}, claims)
    signed = b".".join(_part(json.dumps(one).encode()) for one in words)
    return (signed + b"." + _part(hmac.digest(provider.keys[-1].as_pem(private=False), signed, "sha256"))).decode()


def signed_with_a_strange_key(provider: IdentityProvider, claims: Claims) -> str:
    """Under the name of the right one."""
    make: Any = RSAKey if provider.kind == "RSA" else ECKey
    return provider.sign(claims, make.generate_key(2048 if provider.kind == "RSA" else "P-256"))


def signed_with_a_key_of_its_own_header(provider: IdentityProvider, claims: Claims) -> str:
    key = ECKey.generate_key("P-256")
    return provider.sign(claims, key, alg="ES256", jwk=key.as_dict(private=False), kid="mine")


def cut_off(provider: IdentityProvider, claims: Claims) -> str:
    return provider.sign(claims).rpartition(".")[0] + "."


def swapped(provider: IdentityProvider, claims: Claims) -> str:
    """A good signature over other claims."""
    head, _, signature = provider.sign(claims).split(".")
    _, other, _ = provider.sign({**claims, "sub": "somebody-else"}).split(".")
    return f"{head}.{other}.{signature}"


def nonsense(provider: IdentityProvider, claims: Claims) -> str:
    return "nonsense"

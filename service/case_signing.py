"""Signatures of case files: Ed25519, so that whoever checks one needs no secret, and cannot make one either.

The signing keys are derived from the data keys (HKDF-SHA256): the first signs, the public halves of all are told. A
public key tells nothing about the data key that it comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.case_file import CaseFile, Finding, Signature, sealed, signed_part

_PURPOSE = b"linli case file signature 1"


def sign(file: CaseFile, keys: Mapping[str, bytes]) -> CaseFile:
    """The file with the signature of the first key, and its digest. `keys` is the ring of the settings."""
    key = _private(next(iter(keys.values())))
    return sealed(file, Signature(public_key=_shown(key), value=key.sign(signed_part(file)).hex()))


def public_keys(keys: Mapping[str, bytes]) -> dict[str, str]:
    """The public key (hex) that belongs to each data key, by its id."""
    return {name: _shown(_private(key)) for name, key in keys.items()}


def check_signature(file: CaseFile, trusted: Collection[str] = ()) -> Iterator[Finding]:
    """Whether its signature holds, and, where `trusted` names public keys, whether one of them made it."""
    signature = file.signature
    if signature is None:
        if trusted:
            yield Finding(code="signature", where="signature", says="is missing: nothing shows who made the file")
        return
    if not _holds(signature, signed_part(file)):
        yield Finding(code="signature", where="signature", says="does not fit what the file holds")
    elif trusted and signature.public_key not in trusted:
        yield Finding(code="signature", where="signature.public_key", says="is none of the keys that you named")


def _private(data_key: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(data_key)
    return Ed25519PrivateKey.from_private_bytes(seed)


def _shown(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def _holds(signature: Signature, message: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        key.verify(bytes.fromhex(signature.value), message)
    except (InvalidSignature, ValueError):
        return False
    return True

"""The token in a link: the link's ID and a MAC of it. Without the key nobody can make one; none is kept.

A MAC may be cut short, to 128 bits at least (NIST SP 800-107, section 5.3.3): for links that are shorter.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from services.auth.domain.events import LinkId

SIGN_IN = b"check-data sign-in link v1:"
ASKING = b"check-data asking link v1:"
"""Bound into the MAC, so that the key cannot be made to say anything else."""
LONGEST = 100
FEWEST_BITS, ALL_BITS = 128, 256
"""Of a MAC."""


def link_token(link_id: LinkId, key: bytes, purpose: bytes = SIGN_IN, bits: int = ALL_BITS) -> str:
    """`<link ID>.<MAC>`, both URL-safe base64 without padding: 66 characters with all bits, 45 with 128."""
    return _spelt(link_id, _mac(link_id, key, purpose, bits))


def read_link_token(
    token: str, keys: Sequence[bytes], purpose: bytes = SIGN_IN, bits: int = ALL_BITS
) -> LinkId | None:
    """The link that the token stands for, or None when no key proves all the bits. Takes any text.

    Compares with every key in constant time, so that an answer's time tells nothing.
    """
    if len(token) > LONGEST or not token.isascii():
        return None
    head, _, tail = token.partition(".")
    try:
        link_id, mac = LinkId(UUID(bytes=_decode(head))), _decode(tail)
    except ValueError:
        return None
    if _spelt(link_id, mac) != token:
        return None  # one link, one spelling
    proven = [hmac.compare_digest(mac, _mac(link_id, key, purpose, bits)) for key in keys]
    return link_id if any(proven) else None


def _spelt(link_id: LinkId, mac: bytes) -> str:
    return f"{_encode(link_id.bytes)}.{_encode(mac)}"


def _mac(link_id: LinkId, key: bytes, purpose: bytes, bits: int) -> bytes:
    return hmac.new(key, purpose + link_id.bytes, hashlib.sha256).digest()[: bits // 8]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

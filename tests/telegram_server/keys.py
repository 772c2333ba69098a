"""A key pair for tests and nothing else, and the prime over which keys are agreed.

The private half stands here for everybody to read: no real server may ever use it.
"""

from __future__ import annotations

import rsa

_MODULUS = int(
    "9a40c071ee96312f163f535af8ed7bf6a2a75c86703261f3a2904af3e758194930be7249a5d363fecb57b43ec71aeb56"
    "dce2312f892e92d406f3f49d38b860cbf38627eea98b776ce2ebde541f90e81eb600981e537014eaf7e958e883115a2a"
    "aea2a7929e9673fbec94d79d8fe348945a92de392c3c01ad048a4b2edc0a43346fa5c65f51fc790fc174dccc21e8793d"
    "edb183d6e9148a7dc04ea649a3e81a4940be3f3d07a33ab40a00e6e282b6898e4330999a0c44368d1c91797ff3fde7c4"
    "374c569357296fe944183af409dc77ce9093d1a28f5cd5200723d601a2f835c6dd43ca4a048b0b25ee018a8a74f67b8c"
    "a8ca65f337ea60a233b914f5f0a2b977",
    16,
)
_PRIVATE = int(
    "7788aa19200c5f7cdfbe9ef7a6635266e3d0d1d0946d569e98613cd4197899cfafe84564710e8934cf9add60b0a659ac"
    "ec6a94370415854ead3cab5892b5bebd0dafee8df1f0d3d11b6030dffbbe2d426f43b29dfd86a38f1a2247f5966c01f5"
    "8573226c6a5ca8f0967b19434e5790ccf60b4e0dfc0b5c389ddf74bd4ea3ba212784244def7f3f39490e75f9c8ab6e7e"
    "68ca9211ba2401d0f3fdf06246bdc3baec89fbbe5a7afa33d8e571d20234425fc3efd684e332e9bc5ede197772c058fe"
    "c34876de13092bdcb952a6a72909fe6d3dc214e3e39c42d622f0a053235ab2f1ce085d9f73a37f1b7c2021ef4de6785e"
    "d757c788baa61e611b6d1e9a4d7935f1",
    16,
)
_PUBLIC = 65537

#: The safe prime that Telegram's servers use, with 3 as generator: clients know it and skip testing it.
#: https://core.telegram.org/mtproto/auth_key
DH_PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db"
    "fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41"
    "0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf"
    "6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
GENERATOR = 3

#: PKCS#1, as clients are given it.
PUBLIC_KEY = rsa.PublicKey(_MODULUS, _PUBLIC).save_pkcs1().decode()


def deciphered(data: bytes) -> bytes:
    """What a client enciphered with the public key, without the first of its 256 bytes, which is 0."""
    return pow(int.from_bytes(data, "big"), _PRIVATE, _MODULUS).to_bytes(256, "big")[1:]


def fingerprint() -> int:
    """How clients tell which of the keys they know is meant: the last 8 bytes of its SHA-1."""
    from telethon.crypto import rsa as keys

    found: int = keys._compute_fingerprint(rsa.PublicKey(_MODULUS, _PUBLIC))
    return found

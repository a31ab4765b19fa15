"""What a GRIP proxy signs with, and what a test signs wrongly."""

import base64
import functools
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat)


class KeyPair:
    def __init__(self, private_key):
        self.private = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.public = private_key.public_key().public_bytes(Encoding.PEM,
                                                            PublicFormat.SubjectPublicKeyInfo)


@functools.lru_cache(maxsize=None)
def ec_key(number=0):
    """A P-256 pair; another number is another pair."""
    del number
    return KeyPair(ec.generate_private_key(ec.SECP256R1()))


@functools.lru_cache(maxsize=None)
def rsa_key():
    return KeyPair(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def setting(key):
    """A key as GRIP_URL and GRIP_VERIFY_KEY take it."""
    return "base64:" + base64.b64encode(key).decode()


def token(key="changeme", algorithm="HS256", iss="pushpin", expires_in=3600, **claims):
    """A Grip-Sig; None leaves a claim out."""
    body = {"iss": iss, "exp": None if expires_in is None else int(time.time()) + expires_in,
            **claims}
    return jwt.encode({k: v for k, v in body.items() if v is not None}, key, algorithm)


def _part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def hand_made(header, claims, secret=None):
    """A token that no library would make; without a secret its signature is empty."""
    signed = _part(header) + b"." + _part(claims)
    mac = hmac.new(secret, signed, hashlib.sha256).digest() if secret is not None else b""
    return (signed + b"." + _part(mac)).decode()


def claims(**more):
    return {"iss": "pushpin", "exp": int(time.time()) + 3600, **more}


def parse_channel(value):
    """`name; prev-id=5` as a name and a dict."""
    name, *parameters = [part.strip() for part in value.split(";")]
    return name, dict(parameter.split("=", 1) for parameter in parameters)


def parse_link(value):
    """`<uri>; rel=next; timeout=120` as a URI and a dict."""
    uri, _, rest = value.partition(">")
    assert uri.startswith("<"), value
    parameters = [part.strip() for part in rest.split(";") if part.strip()]
    return uri[1:], dict(parameter.split("=", 1) for parameter in parameters)

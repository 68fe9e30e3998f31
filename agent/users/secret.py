"""Secrets that we give out: long and random, so that a plain digest is all that need be kept."""

import hashlib
import secrets

BYTES = 32


def new_secret(prefix: str = "") -> str:
    """One that nobody guesses.

    Args:
        prefix: Tells a person, and a scanner of leaked secrets, what it is.
    """
    return prefix + secrets.token_urlsafe(BYTES)


def digest(secret: str) -> str:
    """What is kept of it: SHA-256, as 64 letters."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def derived(secret: str, what: str) -> str:
    """A second secret that who knows the first one can tell, and that does not give it away."""
    return hashlib.sha256(f"{what}\0{secret}".encode("utf-8", "replace")).hexdigest()

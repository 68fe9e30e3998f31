"""Passwords: hashed by argon2id, and compared in the same time whether or not there is a user."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent.users.error import UserError

FEWEST = 10
"""Letters. Length is what counts; which kinds of letters is not asked."""

LONGEST = 1024

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's first choice for argon2id. The memory is what the agent's own budget has to bear."""


def hashed(password: str, name: str) -> str:
    """What is kept of a password.

    Args:
        password: As the person typed it.
        name: Whose it is.

    Raises:
        UserError: it is too short, too long, or too easily guessed.
    """
    if not FEWEST <= len(password) <= LONGEST:
        raise UserError(f"a password has {FEWEST} to {LONGEST} letters; this one {len(password)}")
    if len(set(password)) < 4 or name.casefold() in (
        password.casefold(),
        password.casefold()[::-1],
    ):
        raise UserError("this password is guessed at once; a sentence would be better")
    return _HASHER.hash(_bytes(password))


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one that was hashed; takes as long where there is none.

    Args:
        password: What somebody typed.
        kept: The hash; None where nobody has such a name.
    """
    try:
        _HASHER.verify(kept or _nobodys(), _bytes(password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with other costs than are asked for now."""
    return _HASHER.check_needs_rehash(kept)


def rehashed(password: str) -> str:
    """The hash of a password that was found right, at the present costs."""
    return _HASHER.hash(_bytes(password))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this one")

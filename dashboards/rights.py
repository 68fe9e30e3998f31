"""Which change needs which role: the one table that pages, API and documentation go by."""

from collections.abc import Mapping

from agent.users.roles import ROLES, Role, Scope

WORKS: frozenset[Role] = frozenset({"maintenance", "qa", "admin"})
MAINTAINS: frozenset[Role] = frozenset({"maintenance", "admin"})
ASSURES: frozenset[Role] = frozenset({"qa", "admin"})
ADMIN: frozenset[Role] = frozenset({"admin"})
EVERYBODY: frozenset[Role] = frozenset(ROLES)

RIGHTS: Mapping[str, frozenset[Role]] = {
    "anomaly.acknowledge": WORKS,
    "anomaly.give": WORKS,
    "anomaly.undo": WORKS,
    "anomaly.comment": WORKS,
    "anomaly.resolve": WORKS,
    "anomaly.no_fault": WORKS,
    "anomaly.mute": WORKS,
    "anomaly.unmute": WORKS,
    "mold.log": MAINTAINS,
    "mold.mount": MAINTAINS,
    "mold.unmount": MAINTAINS,
    "mold.revise": MAINTAINS,
    "mold.add": MAINTAINS,
    "mold.edit": MAINTAINS,
    "mold.retire": MAINTAINS,
    "mold.correct": ASSURES,
    "golden.approve": ASSURES,
    "golden.limit": ASSURES,
    "golden.lift": ASSURES,
    "export.make": WORKS,
    "export.cancel": WORKS,
    "own.log_out": EVERYBODY,
    "own.password": EVERYBODY,
    "own.taste": EVERYBODY,
    "user.add": ADMIN,
    "user.role": ADMIN,
    "user.password": ADMIN,
    "user.remove": ADMIN,
    "token.add": ADMIN,
    "token.revoke": ADMIN,
}
"""By group and deed. What is not in it, nobody may do."""

SIGHT: frozenset[Scope] = frozenset(ROLES)
"""Who may read pages and API; a token for metrics may not."""


def may(scope: Scope, right: str) -> bool:
    """Whether a role, or a token's scope, may do something.

    >>> may("viewer", "anomaly.comment"), may("qa", "anomaly.comment"), may("admin", "no such")
    (False, True, False)
    """
    return scope in RIGHTS.get(right, ())


def deeds_of(group: str) -> list[str]:
    """What can be done in a group.

    >>> deeds_of("mold")
    ['log', 'mount', 'unmount', 'revise', 'add', 'edit', 'retire', 'correct']
    """
    return [deed for of, _, deed in (right.partition(".") for right in RIGHTS) if of == group]

"""What a person may be to Sprue; `dashboards/rights.py` says which change needs which."""

from typing import Literal, get_args

Role = Literal["viewer", "maintenance", "qa", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)

Scope = Literal["metrics", "viewer", "maintenance", "qa", "admin"]
"""What a token is good for: as a role, or for /metrics alone."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

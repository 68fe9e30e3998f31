"""What can't be done about users and tokens."""

from agent.ending import CommandError


class UserError(CommandError):
    """What was asked for can't be done; the message says why, and what would be right."""

"""What can't be done about users and tokens."""


class UserError(Exception):
    """What was asked for can't be done; the message says why, and what would be right."""

"""Why nothing was entered."""

from agent.ending import CommandError


class ContextError(CommandError):
    """What was entered is not right; the message says what would be."""

"""Why there is no file."""

from agent.ending import CommandError


class ExportError(CommandError):
    """The export can't be written; the message says where and why. No half file is left."""

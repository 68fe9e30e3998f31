"""Why there is no file."""


class ExportError(Exception):
    """The export can't be written; the message says where and why. No half file is left."""

"""Process records as files: what is in them, what is missing, and proof that they are whole."""

from agent.export.error import ExportError

__all__ = ["ExportError"]

"""What the API says when it can't do what it is asked for."""


class MissingError(Exception):
    """There is no such thing in the record; the message says what."""

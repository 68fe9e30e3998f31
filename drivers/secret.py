"""Secrets that are not written into the configuration."""

import os
from typing import Annotated, Self

from pydantic import Field, model_validator

from drivers.beside import NamedFile
from drivers.checked import Checked
from drivers.closedfile import OpenFileError, read_closed
from drivers.errors import RefusedError

PLACES = "should be { env = 'NAME' } or { file = 'NAME' }"


class Secret(Checked):
    """A secret: `{ env = "NAME" }` or `{ file = "NAME" }`."""

    env: Annotated[str | None, Field(min_length=1)] = None
    """The environment variable that holds it."""
    file: NamedFile | None = None
    """The file that holds it, on one line; only its owner may read it."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, found: object) -> object:
        if isinstance(found, str):
            raise ValueError(PLACES)  # pydantic's own word would be about dictionaries
        return found

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError(PLACES)
        return self

    def read(self, machine: str, key: str) -> str:
        """The secret.

        Raises:
            RefusedError: the environment has no such variable; or the file is not there, is no
                text, or others may read it.
        """
        if self.file is not None:
            return self._from_file(machine, key)
        found = os.environ.get(self.env or "")
        if found is None:
            raise RefusedError(machine, f"{key}: the environment has no {self.env}")
        return found

    def _from_file(self, machine: str, key: str) -> str:
        assert self.file is not None
        try:
            text = read_closed(self.file).decode()
        except OpenFileError as error:
            raise RefusedError(machine, f"{key}: {self.file}: {error.strerror}") from error
        except OSError as error:
            what = f"{key}: {self.file} can't be read: {error.strerror}"
            raise RefusedError(machine, what) from error
        except UnicodeDecodeError as error:
            raise RefusedError(machine, f"{key}: {self.file} is not UTF-8 text") from error
        return text.rstrip("\r\n")

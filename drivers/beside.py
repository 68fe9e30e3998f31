"""Files that settings name: relative ones lie beside the file that names them."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, FilePath, ValidationInfo

FOLDER = "folder"
"""In the context of a validation: the folder of the file that is checked. None: this one."""
PKI = "pki"
"""In the context of a validation: the folder of our own key, where a machine names no other."""


def _beside(found: object, info: ValidationInfo) -> object:
    if not isinstance(found, str | Path):
        return found
    path = Path(found)
    if path.is_absolute():
        return path
    return Path((info.context or {}).get(FOLDER, Path.cwd())) / path


Beside = BeforeValidator(_beside)
NamedFile = Annotated[FilePath, Beside]
"""A file that is there."""

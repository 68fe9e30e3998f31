"""Files that nobody but their owner may read: keys and passwords."""

import os
import stat
from pathlib import Path
from tempfile import mkstemp

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class OpenFileError(PermissionError):
    """Others than its owner can read a file that holds a secret."""


def read_closed(file: Path) -> bytes:
    """Its content.

    Raises:
        OpenFileError: others may read or write it.
        OSError: it can't be read.
    """
    with file.open("rb") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        if os.name == "posix" and mode & OTHERS:
            what = f"others can read it ({stat.filemode(mode)}); `chmod 600 {file}` closes it"
            raise OpenFileError(0, what, str(file))
        return opened.read()


def put_new(file: Path, content: bytes) -> bool:
    """Write a closed file whole, unless there is one of that name already.

    It is closed before its first byte, on the disk before it has its name, and of several who
    write it at once one wins.

    Returns:
        Whether it is ours.

    Raises:
        OSError: it can't be written.
    """
    written = _written(file, content)
    try:
        os.link(written, file)
    except FileExistsError:
        return False
    finally:
        written.unlink()
    return True


def put(file: Path, content: bytes) -> None:
    """Write a closed file whole, in place of the one that may be there.

    Raises:
        OSError: it can't be written.
    """
    _written(file, content).replace(file)


def _written(file: Path, content: bytes) -> Path:
    """A closed file beside it with the content."""
    file.parent.mkdir(parents=True, exist_ok=True)
    number, name = mkstemp(prefix=f".{file.name[:100]}-", dir=file.parent)  # made with mode 0600
    with os.fdopen(number, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    return Path(name)

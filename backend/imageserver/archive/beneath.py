"""Opening a file that must lie beneath a directory, with no symbolic link on the way.

Linux resolves such a path in one system call (``openat2``). Elsewhere, and where a sandbox forbids that call, the
path is walked one component at a time.
"""

import ctypes
import errno
import os
import sys
from functools import cache

_SYS_OPENAT2 = 437  # the same number on every Linux architecture
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_RESOLVE = _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
_ATTEMPTS = 8  # EAGAIN: something was renamed meanwhile, and the kernel could not be sure


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(directory: int, path: bytes, flags: int, mode: int = 0) -> int:
    """Open `path` relative to the open directory; the caller closes the descriptor. `mode` is for a file to be made.

    Raises
    ------
    OSError
        As ``os.open``; ELOOP or EXDEV where the path would leave the directory or pass a link.
    """
    if b"\0" in path or not path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if has_openat2():
        return _openat2(directory, path, flags, mode)
    return _walk(directory, path, flags, mode)


@cache
def has_openat2() -> bool:
    """Tell whether the kernel knows ``openat2`` and the sandbox lets it pass."""
    if not sys.platform.startswith("linux"):
        return False
    directory = os.open(b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(_openat2(directory, b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError:
        return False
    finally:
        os.close(directory)
    return True


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _openat2(directory: int, path: bytes, flags: int, mode: int = 0) -> int:
    how = _OpenHow(flags, mode, _RESOLVE)
    number = errno.EAGAIN
    for _ in range(_ATTEMPTS):
        descriptor = _libc().syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(directory),
            ctypes.c_char_p(path),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if descriptor >= 0:
            return int(descriptor)
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(number, os.strerror(number))


def _walk(directory: int, path: bytes, flags: int, mode: int = 0) -> int:
    *folders, name = path.split(b"/")
    if path.startswith(b"/") or b".." in (*folders, name):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    current = os.dup(directory)
    try:
        for folder in folders:
            deeper = os.open(
                folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current
            )
            os.close(current)
            current = deeper
        return os.open(name, flags | os.O_NOFOLLOW, mode, dir_fd=current)
    finally:
        os.close(current)

"""Takes rights from this process and all that it starts: no network, no write but below one directory.

Two mechanisms of Linux, both for unprivileged processes: a network namespace of its own, which holds no device but a
loopback that is down (man 7 network_namespaces), and Landlock (man 7 landlock, kernel 5.13 or newer), which also
refuses signals to other processes where it is new enough (6.12). Elsewhere nothing is taken away; `Confinement` says
what was.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 1, 38, 36
# The same on all architectures that have Landlock: they were added after the tables of numbers were unified.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
# Rights over files by linux/landlock.h, those that change something: write_file, remove and make of all kinds.
_WRITES = 0b1_1111_1111_0010
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals
_WRITE_FILE = 1 << 1


@dataclass(frozen=True)
class Confinement:
    """What a process may no longer do.

    network: "none", "no TCP" or "open". writes: "below its directory", "truncation elsewhere" (which Landlock refuses
    from its third version on, Linux 6.2) or "open". signals: whether it may send any to other processes.
    """

    network: str
    writes: str
    signals: bool

    @property
    def complete(self) -> bool:
        return self.network == "none" and self.writes == "below its directory" and not self.signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def leave_network() -> bool:
    """Whether this process is from now on in a network namespace without devices. Call while it has one thread."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:  # as root
        return True
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        return False
    # In the new user namespace the files of this user are to stay its own. Where that is forbidden (Ubuntu 24.04) they
    # do so all the same: what counts is who the kernel knows this process as.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")
    return True


def stay_below(directory: Path) -> int:
    """From now on no write but below `directory` and to /dev/null, by this thread and all that it starts.

    Can be called again for a directory further down. Returns the version of Landlock that is in force; 0: none.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    version: int = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return 0
    rights = _WRITES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = _Ruleset(rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return 0
    for path, allowed in ((directory, rights), (Path(os.devnull), _WRITE_FILE | (rights & _TRUNCATE))):
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = _PathBeneath(allowed, parent)
        added = libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(parent)
        if added:
            os.close(ruleset)
            return 0
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    failed = libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return 0 if failed else version


def confinement(alone: bool, version: int) -> Confinement:
    """What `leave_network` and `stay_below` have brought about."""
    writes = "open" if version < 1 else "truncation elsewhere" if version < 3 else "below its directory"
    return Confinement("none" if alone else "no TCP" if version >= 4 else "open", writes, version < 6)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that they can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with(parent: int) -> None:
    """End this process when its parent, whose id that is, ends, in whatever way."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

"""Is a folder on a network file system? SQLite's WAL needs shared memory, which those do not have."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

_NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "smb2", "smb3", "smbfs",
})  # fmt: skip
# Of the FUSE file systems these are local; any other may be remote.
_LOCAL_FUSE = frozenset({"fuse.exfat", "fuse.fuse-overlayfs", "fuse.lxcfs", "fuse.ntfs", "fuse.ntfs-3g"})


def is_network(path: Path, *, mounts: str | None = None) -> bool:
    """Whether ``path`` lies on a network mount, by the longest mount point that holds it.

    Args:
        path: an existing or coming file or folder.
        mounts: text in the format of ``/proc/mounts``; read from there by default. Systems
            without that file are taken to be local, but for Windows' network paths.
    """
    if str(path).startswith("\\\\"):
        return True
    if mounts is None:
        mounts = _system_mounts()
    target = PurePosixPath(path.resolve())
    holding = [
        (len(point.parts), order, kind)
        for order, (point, kind) in enumerate(_parsed(mounts))
        if point == target or point in target.parents
    ]
    # On equal mount points the later one covers the earlier.
    kind = max(holding)[2] if holding else ""
    return kind in _NETWORK or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def remote_advice(path: Path) -> str:
    """What to do about a ledger on a network mount; "" for a local one."""
    if not is_network(path):
        return ""
    return (
        f"The ledger {path} is on a network file system, where SQLite is slow, and several machines at once "
        "may damage the file. Set ANYFAST_HOME to a local folder, or ANYFAST_LEDGER_URL to a PostgreSQL "
        "database."
    )


def _system_mounts() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _parsed(mounts: str) -> list[tuple[PurePosixPath, str]]:
    fields = [line.split(" ") for line in mounts.splitlines()]
    return [(PurePosixPath(_unescaped(field[1])), field[2]) for field in fields if len(field) >= 3]


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)

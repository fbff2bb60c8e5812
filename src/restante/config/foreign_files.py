"""Whether another user of the machine can change a file, or put another one in its place."""

import os
import stat


def why_foreign(status: os.stat_result, own: int, *, is_above: bool = False) -> str:
    """Return why user `own` must not trust a file or directory; "" if it may.

    `is_above`: it is a directory above that of interest. There, /tmp will do: in it, nobody can
    rename what is another user's.
    """
    mode = status.st_mode
    if status.st_uid not in (0, own):
        return "belongs to another user"
    if is_above and mode & stat.S_ISVTX:
        return ""
    # Plain users often have a group each, which may write. In the group of root there is only root.
    others = stat.S_IWOTH
    if own == 0 and status.st_gid != 0:
        others |= stat.S_IWGRP
    return "is writable for other users" if mode & others else ""

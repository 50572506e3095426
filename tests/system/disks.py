"""Small disks that a test fills up and frees; in a network's own mount namespace (network.py)."""
import os

from network import command

DISK_MIB = 80


class Disk:
    """A small disk under a directory of the region, and a file that takes its room."""

    def __init__(self, region, name, mib=DISK_MIB):
        self.dir = os.path.join(region.dir, name)
        os.mkdir(self.dir)
        command("mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", self.dir)
        region.endings.append(lambda: command("umount", self.dir))
        self.ballast = os.path.join(self.dir, "ballast")

    def leave(self, kibibytes):
        """Only so much stays free."""
        take = self.left() - (kibibytes << 10)
        with open(self.ballast, "ab") as out:
            os.posix_fallocate(out.fileno(), out.tell(), take) if take > 0 else out.truncate(out.tell() + take)

    def left(self):
        disk = os.statvfs(self.dir)
        return disk.f_bavail * disk.f_frsize

    def free(self):
        os.unlink(self.ballast)

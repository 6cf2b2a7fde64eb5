"""`python -m lab.host.namespace_holder DIRECTORY`: keeps one network and one mount namespace alive.

It moves into new namespaces, points name look-ups at the VPC's resolver, prints `ready` and then sleeps for ever.
lab.host.network configures the network from outside.
"""

import os
import sys
from pathlib import Path

from lab.host import resolv_conf as names
from lab.host import syscalls as linux


def main() -> None:
    """Set up, report to the parent, and become `sleep`."""
    linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWNS)
    linux.make_mounts_private()
    names.use_vpc_resolver(Path(sys.argv[1]))
    print("ready", flush=True)
    os.execvp("sleep", ["sleep", "infinity"])


if __name__ == "__main__":
    main()

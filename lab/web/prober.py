"""`python -m lab.web.prober`: the product's own probe, once a second, in the network that it is started in.

Each line of standard input is a document of targets (nodeway_runtime.paths.targets); each line of standard output is
a report (nodeway_runtime.paths.report). It ends with its input. Like any client it reads the LAB_ variables only.
"""

import json
import os
import sys
import threading
from collections.abc import Mapping

from nodeway_runtime.model.topology import hostname
from nodeway_runtime.paths.report import to_document
from nodeway_runtime.paths.targets import Targets, parse_targets
from nodeway_runtime.probe.run import Probe
from nodeway_runtime.probe.walker import Login, Walker

EVERY_SECONDS = 1.0
LONGEST_SECONDS = 10.0


def reports(environment: Mapping[str, str]) -> None:
    """Probe the latest targets until standard input ends."""
    known: list[Targets] = []
    first, ended = threading.Event(), threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            told = json.loads(line)
            known[:] = [parse_targets(told, zone=hostname(told["zone"]), port=int(told["port"]))]
            first.set()
        ended.set()
        first.set()

    threading.Thread(target=listen, daemon=True).start()
    ca_file = environment["LAB_CA_FILE"]
    login = Login(environment["LAB_USERNAME"], environment["LAB_PASSWORD"])
    probe = Probe(environment["LAB_WEB_CLIENT"], seconds=LONGEST_SECONDS)
    first.wait()
    while known and not ended.is_set():
        expected = known[0]
        walker = Walker.of(expected.port, ca_file=ca_file, login=login)
        report = probe.run(expected, walker)
        sys.stdout.write(json.dumps(to_document(report)) + "\n")
        sys.stdout.flush()
        ended.wait(max(0.0, EVERY_SECONDS - report.seconds))


if __name__ == "__main__":
    reports(os.environ)
    # a walk that hangs has its own timeout: nobody waits for it
    os._exit(0)

"""The words of docs/clients.md that no run changes."""

HEAD = """\
# Clients

Written by `make conformance` from [conformance.json](conformance.json): every client below is the real one at its
pinned version, set up as its users would, and asked for one list of behaviours in every way to the cluster. The
snippets are the very files that the checks run (`lab/conformance/clients`).

They read what `nodeway lab run` gives: LAB_ENDPOINT and LAB_PORT, in your deployment its output `ConfigurationEndpoint`
or `Endpoint` (RESP3 by Envoy: the next port); LAB_USERNAME and LAB_PASSWORD, the client's own user at the nodes, or
Envoy's; and LAB_CA_FILE, the lab's authority: leave it out on AWS, where the system's authorities verify the nodes, and
for Envoy give the one of your certificate.
"""

MARKS = """\
✓ passes · **opt** passes with the options that the client's section names · **Envoy**, **client** fails, and whose
limit it is: the run expects exactly this, and ends badly when it changes · not run: nothing was seen or is claimed
"""

BEHAVIOURS = """\
## What is asked

The last three happen while all clients write at the same time, four workers each. A client has gone on when each of its
workers has written to all of its keys again without an error; at the end it reads them back, and none may be older than
the last write that was acknowledged.
"""

REPEAT = """\
## Repeat it

```sh
make conformance                                                      # all of it: build/conformance/report.json
.venv/bin/python -m lab.conformance --client rueidis --way per-node   # a part
```

A language that is not installed, or a package registry that is out of reach, makes its clients "not run", with the
reason. The cluster is the lab's (`make lab`), not ElastiCache: what AWS's own servers answer may differ.
"""

"""What a way itself cannot do, whatever the client: the known fails that all clients of the way share.

A client.json adds to this or says otherwise. Each `match` is what was seen, so that a change of Envoy is noticed.
"""

from collections.abc import Mapping

from lab.conformance.suite.verdicts import Expectation

_ENVOY: Mapping[str, Expectation] = {
    "pubsub": Expectation(
        by="Envoy",
        reason="Envoy knows no SUBSCRIBE",
        match=r"(?i)unknown command '?subscribe",
    ),
    "blpop": Expectation(
        by="Envoy",
        reason="Envoy knows no command that waits, such as BLPOP",
        match=r"(?i)unknown command '?blpop",
    ),
    "scan": Expectation(
        by="Envoy",
        reason="Envoy puts the shards' answers to SCAN side by side, which is no cursor and its keys",
        match=r"too many values to unpack|SCAN found \d+ of \d+ keys",
    ),
    "replica_read": Expectation(
        by="Envoy",
        reason="Envoy knows no READONLY: its own read_policy decides where to read, for all its clients alike",
        match=r"(?i)unknown command '?readonly",
    ),
}

SHARED: Mapping[str, Mapping[str, Expectation]] = {"envoy-resp2": _ENVOY, "envoy-resp3": _ENVOY}
"""By way and behaviour."""

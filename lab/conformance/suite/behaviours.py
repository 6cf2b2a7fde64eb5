"""The behaviours that every client is tried for in every access mode, in the order in which they run."""

from collections.abc import Mapping
from dataclasses import dataclass

CONNECT = "connect"
COMMANDS = (
    *("all_slots", "pipeline_500", "multi_exec", "evalsha"),
    *("pubsub", "blpop", "scan", "replica_read"),
)
"""What a client program tries when it is run with `commands`."""
WRONG_PASSWORD = "wrong_password"
WRONG_CA = "wrong_ca"
EVENTS = ("failover", "reshard", "proxy_killed")
"""What happens while the programs of all clients run with `load`; a proxy is killed when it is old enough."""
ANY = "*"
"""In what a client is expected to fail: every behaviour of a mode."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour: the heading of its column, and what passing it means."""

    title: str
    meaning: str


BEHAVIOURS: Mapping[str, Behaviour] = {
    CONNECT: Behaviour(
        "connect", "connects with verified TLS, user and password; one SET and one GET"
    ),
    "all_slots": Behaviour("all slots", "SET and GET of a key in each of the 16,384 slots"),
    "pipeline_500": Behaviour(
        "pipeline", "500 commands over all nodes in one pipeline, answers right and in order"
    ),
    "multi_exec": Behaviour("MULTI", "60 transactions of two keys, each in one slot"),
    "evalsha": Behaviour("EVALSHA", "SCRIPT LOAD, then EVALSHA with a key and an argument"),
    "pubsub": Behaviour(
        "pub/sub", "SUBSCRIBE, PUBLISH from another connection, the message arrives"
    ),
    "blpop": Behaviour(
        "BLPOP", "BLPOP of an empty list times out after 1 s, and gives an item once there is one"
    ),
    "scan": Behaviour("SCAN", "a whole SCAN finds as many keys as DBSIZE says"),
    "replica_read": Behaviour("replica", "reads from a replica, with the client's own option"),
    WRONG_PASSWORD: Behaviour(
        "wrong password", "a wrong password is refused within the client's time-outs"
    ),
    WRONG_CA: Behaviour("wrong CA", "another certificate authority is refused"),
    "failover": Behaviour(
        "failover", "under load a primary is killed: the client goes on with its replica"
    ),
    "reshard": Behaviour(
        "ASK",
        "under load slots move, key by key: the client follows ASK, writes there, loses nothing",
    ),
    "proxy_killed": Behaviour(
        "proxy killed",
        "under load a proxy is killed and comes back: the client goes on in all shards",
    ),
}

"""The list of behaviours that every client is asked for in every way, in the order in which they are played."""

from collections.abc import Mapping

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
BEHAVIOURS = (CONNECT, *COMMANDS, WRONG_PASSWORD, WRONG_CA, *EVENTS)

ANY = "*"
"""In what a client is expected to fail: every behaviour of a way."""

TITLES: Mapping[str, str] = {
    CONNECT: "connect",
    "all_slots": "all slots",
    "pipeline_500": "pipeline",
    "multi_exec": "MULTI",
    "evalsha": "EVALSHA",
    "pubsub": "pub/sub",
    "blpop": "BLPOP",
    "scan": "SCAN",
    "replica_read": "replica",
    WRONG_PASSWORD: "wrong password",
    WRONG_CA: "wrong CA",
    "failover": "failover",
    "reshard": "ASK",
    "proxy_killed": "proxy killed",
}
"""The heads of the matrix's columns."""

MEANINGS: Mapping[str, str] = {
    CONNECT: "connects with verified TLS, user and password; one SET and one GET",
    "all_slots": "SET and GET of a key in each of the 16,384 slots",
    "pipeline_500": "500 commands over all nodes in one pipeline, answers right and in order",
    "multi_exec": "60 transactions of two keys, each in one slot",
    "evalsha": "SCRIPT LOAD, then EVALSHA with a key and an argument",
    "pubsub": "SUBSCRIBE, PUBLISH from another connection, the message arrives",
    "blpop": "BLPOP of an empty list times out after 1 s, and gives an item once there is one",
    "scan": "a whole SCAN finds as many keys as DBSIZE says",
    "replica_read": "reads from a replica, with the client's own option for it",
    WRONG_PASSWORD: "a wrong password is refused within the client's time-outs",
    WRONG_CA: "another certificate authority is refused",
    "failover": "under load a primary is killed: the client goes on with its replica",
    "reshard": "under load slots move, key by key: the client follows ASK, writes there, loses nothing",
    "proxy_killed": "under load a proxy is killed and comes back: the client goes on in all shards",
}
"""What passing means."""

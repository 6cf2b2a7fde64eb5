"""The commands that the probe sends to a node, besides AUTH: PING, CLUSTER and INFO."""

import re

from nodeway_runtime.paths.cluster_view import (
    Member,
    NodeReply,
    parse_info,
    parse_shards,
    parse_slots,
)
from nodeway_runtime.probe.resp import Conversation, ErrorReply, NoAnswer

NODE_ID = re.compile(r"[0-9a-f]{40}")


def ping(node: Conversation, *, logged_in: bool) -> None:
    """Sends PING. Without a login the error NOAUTH counts as an answer; raises ErrorReply for other errors."""
    try:
        node.ask("PING")
    except ErrorReply as error:
        # NOPERM: the user has logged in, but may not use PING.
        if error.code != ("NOPERM" if logged_in else "NOAUTH"):
            raise


def read_identity(node: Conversation, *, view: bool) -> NodeReply:
    """Reads the node's id and counters, and with `view` its view of the cluster; raises ErrorReply or NoAnswer."""
    try:
        node_id = _id(node.ask("CLUSTER", "MYID"))
        counters = parse_info(str(node.ask("INFO")))
        return NodeReply(node_id, _members(node) if view else None, counters)
    except (TypeError, ValueError, LookupError) as error:
        raise NoAnswer("it says what no node of a cluster says") from error


def _id(answer: object) -> str:
    if not NODE_ID.fullmatch(str(answer)):
        raise ValueError(answer)
    return str(answer)


def _members(node: Conversation) -> tuple[Member, ...]:
    try:
        return parse_shards(node.ask("CLUSTER", "SHARDS"))
    except ErrorReply as error:
        # Redis before 7 has no CLUSTER SHARDS.
        if error.code != "ERR":
            raise
        return parse_slots(node.ask("CLUSTER", "SLOTS"))

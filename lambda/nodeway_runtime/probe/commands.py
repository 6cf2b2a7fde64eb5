"""What a node is asked: whether it answers, and who it is. Nothing else is ever sent to one, but AUTH."""

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
    """Any answer is one, where nobody has logged in: it is the node that wants a login."""
    try:
        node.ask("PING")
    except ErrorReply as error:
        # a user without the right to ping has logged in all the same
        if error.code != ("NOPERM" if logged_in else "NOAUTH"):
            raise


def read_identity(node: Conversation, *, view: bool) -> NodeReply:
    """What the node says of itself; raises Refused when its user may not ask."""
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
        # Redis before 7 knows no CLUSTER SHARDS; where it is forbidden, so will the other be
        if error.code != "ERR":
            raise
        return parse_slots(node.ask("CLUSTER", "SLOTS"))

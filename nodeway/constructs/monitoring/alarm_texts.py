"""Alarm description texts, with references to docs/runbook.md. Pure."""

RUNBOOK = "docs/runbook.md"
"""A path of this repository in place of a URL, which some readers cannot reach."""

MEANINGS = {
    "no-success": "no run of the resync ended well in five minutes, so the records no longer follow the tasks",
    "guard-tripped": "the guard refuses what the resync wants to change",
    "node-without-proxy": "a node has had no healthy HAProxy of its own for 30 minutes",
    "fleet-without-proxy": "none of the proxies that serve all nodes has been healthy for five minutes",
    "stand-in-limit": "there are more new nodes than stand-ins allowed, so some have no HAProxy",
    "failed-events": "an event failed all its tries and lies in the queue, while the schedule goes on",
    "path-broken": "a node has not been reached by its name for three minutes",
    "probe-silent": "the probe has told nothing for five minutes, so nobody knows whether the nodes are reached",
    "redirects-unusual": "the nodes send clients elsewhere (MOVED) more often than is usual at this time",
    "abnormal-sessions": "more than 5 % of the sessions through the HAProxies have ended abnormally for 15 minutes",
    "backend-down": "a HAProxy has not reached its node for five minutes",
    "haproxy-restarts": "HAProxies have started in every five minutes of an hour, which no deployment does",
    "task-churn": "three tasks or more stopped by themselves within 15 minutes",
    "envoy-connect-failures": "the Envoys have failed to connect to nodes for 15 minutes",
    "envoy-topology-failures": "the Envoys have failed to read which node has which slots for 15 minutes",
}
"""The meaning of each alarm, by the end of its name."""


def render_description(label: str, alarm: str) -> str:
    """Returns the description of an alarm: its cluster, its meaning, and the section of the runbook."""
    return f"{label}: {MEANINGS[alarm]}. What to do: {RUNBOOK}#alarm-{alarm}"

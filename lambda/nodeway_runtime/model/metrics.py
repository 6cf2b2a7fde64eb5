"""Namespace, dimensions and names of all CloudWatch metrics, grouped by their source. Pure.

Each metric has the dimension `Cluster`; metrics of a node also have `Node`.
"""

from enum import StrEnum

NAMESPACE = "Nodeway"


class Dimension(StrEnum):
    """The names of all dimensions."""

    CLUSTER = "Cluster"
    NODE = "Node"
    CAUSE = "Cause"
    """Why a session ended abnormally."""


class ResyncMetric(StrEnum):
    """Published by each run of the resync."""

    SECONDS_SINCE_SUCCESS = "SecondsSinceSuccess"
    NODES = "Nodes"
    NODES_WITHOUT_OWN_PROXY = "NodesWithoutOwnProxy"
    CREATES = "Creates"
    UPDATES = "Updates"
    DELETES = "Deletes"
    GUARD_TRIPPED = "GuardTripped"
    STAND_INS = "StandIns"
    NODES_OVER_STAND_IN_LIMIT = "NodesOverStandInLimit"


class ProbeMetric(StrEnum):
    """Published by each run of the probe."""

    PATHS_WALKED = "PathsWalked"
    PATHS_BROKEN = "PathsBroken"
    PATHS_DEGRADED = "PathsDegraded"
    CONNECTIONS = "ProbeConnections"
    SECONDS = "ProbeSeconds"
    MOVED = "Moved"
    ASKED = "Asked"
    FAILOVERS = "Failovers"
    REJECTED_CONNECTIONS = "RejectedConnections"
    RESOLVE_MILLISECONDS = "ResolveMilliseconds"
    CONNECT_MILLISECONDS = "ConnectMilliseconds"
    TLS_MILLISECONDS = "TlsMilliseconds"
    ANSWER_MILLISECONDS = "AnswerMilliseconds"
    PATH_BROKEN = "PathBroken"
    """Of one node: 0 or 1."""


PHASE_METRICS = (
    ProbeMetric.RESOLVE_MILLISECONDS,
    ProbeMetric.CONNECT_MILLISECONDS,
    ProbeMetric.TLS_MILLISECONDS,
    ProbeMetric.ANSWER_MILLISECONDS,
)
"""The durations of a path's phases, in the order of the phases."""
PROBE_CLUSTER_METRICS = tuple(one for one in ProbeMetric if one is not ProbeMetric.PATH_BROKEN)
PROBE_NODE_METRICS = (
    ProbeMetric.PATH_BROKEN,
    ProbeMetric.MOVED,
    ProbeMetric.ASKED,
    *PHASE_METRICS,
)


class HaproxyMetric(StrEnum):
    """Made of the log lines of HAProxy tasks by metric filters."""

    SESSIONS = "HaproxySessions"
    CURRENT_SESSIONS = "HaproxyCurrentSessions"
    CONNECT_MILLISECONDS = "HaproxyConnectMilliseconds"
    BYTES_IN = "HaproxyBytesIn"
    BYTES_OUT = "HaproxyBytesOut"
    ABORTED_BY_CLIENT = "HaproxyAbortedByClient"
    ABORTED_BY_SERVER = "HaproxyAbortedByServer"
    CONNECT_FAILURES = "HaproxyConnectFailures"
    REFUSED = "HaproxyRefused"
    RETRIES = "HaproxyRetries"
    QUEUE = "HaproxyQueue"
    BACKEND_DOWN = "HaproxyBackendDown"
    ABNORMAL_SESSIONS = "HaproxyAbnormalSessions"
    STARTS = "HaproxyStarts"


HAPROXY_CLUSTER_METRICS = (
    HaproxyMetric.SESSIONS,
    HaproxyMetric.BACKEND_DOWN,
    HaproxyMetric.REFUSED,
    HaproxyMetric.QUEUE,
    HaproxyMetric.CONNECT_FAILURES,
    HaproxyMetric.ABNORMAL_SESSIONS,
    HaproxyMetric.STARTS,
)
"""Those that are also published for a whole cluster, without the dimension `Node`."""
HAPROXY_NODE_METRICS = tuple(
    one for one in HaproxyMetric if one is not HaproxyMetric.ABNORMAL_SESSIONS
)
"""Those of each node. Abnormal sessions have the dimension `Cause` there and exist only while there are some."""


class EnvoyMetric(StrEnum):
    """Made of the log lines of Envoy tasks by metric filters."""

    REDIRECTS = "EnvoyRedirects"
    REDIRECTS_FAILED = "EnvoyRedirectsFailed"
    CONNECT_FAILURES = "EnvoyConnectFailures"
    CONNECTIONS_LOST = "EnvoyConnectionsLost"
    TIMEOUTS = "EnvoyTimeouts"
    TOPOLOGY_FAILURES = "EnvoyTopologyFailures"
    UNSUPPORTED_COMMANDS = "EnvoyUnsupportedCommands"
    WRONG_PROTOCOL = "EnvoyWrongProtocol"
    REQUESTS = "EnvoyRequests"
    CLIENTS = "EnvoyClients"

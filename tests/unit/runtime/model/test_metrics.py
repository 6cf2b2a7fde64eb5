"""The names of the metrics are what people's own alarms and dashboards use: none changes by accident."""

from nodeway_runtime.model.metrics import (
    HAPROXY_CLUSTER_METRICS,
    NAMESPACE,
    PROBE_NODE_METRICS,
    Dimension,
    EnvoyMetric,
    HaproxyMetric,
    ProbeMetric,
    ResyncMetric,
)


def test_names_are_as_published() -> None:
    assert NAMESPACE == "Nodeway"
    assert [*Dimension] == ["Cluster", "Node", "Cause"]
    assert {*ResyncMetric} == {
        *("SecondsSinceSuccess", "Nodes", "NodesWithoutOwnProxy", "Creates", "Updates", "Deletes"),
        *("GuardTripped", "StandIns", "NodesOverStandInLimit"),
    }
    assert {*ProbeMetric} == {
        *("PathsWalked", "PathsBroken", "PathsDegraded", "ProbeConnections", "ProbeSeconds"),
        *("Moved", "Asked", "Failovers", "RejectedConnections", "PathBroken"),
        *("ResolveMilliseconds", "ConnectMilliseconds", "TlsMilliseconds", "AnswerMilliseconds"),
    }
    assert {*HaproxyMetric} == {
        *("HaproxySessions", "HaproxyCurrentSessions", "HaproxyConnectMilliseconds"),
        *("HaproxyBytesIn", "HaproxyBytesOut", "HaproxyAbortedByClient", "HaproxyAbortedByServer"),
        *("HaproxyConnectFailures", "HaproxyRefused", "HaproxyRetries", "HaproxyQueue"),
        *("HaproxyBackendDown", "HaproxyAbnormalSessions", "HaproxyStarts"),
    }
    assert {*EnvoyMetric} == {
        *("EnvoyRedirects", "EnvoyRedirectsFailed", "EnvoyConnectFailures", "EnvoyConnectionsLost"),
        *("EnvoyTimeouts", "EnvoyTopologyFailures", "EnvoyUnsupportedCommands", "EnvoyRequests"),
        *("EnvoyWrongProtocol", "EnvoyClients"),
    }


def test_counts_that_are_paid_for_are_as_published() -> None:
    assert (len(HAPROXY_CLUSTER_METRICS), len(PROBE_NODE_METRICS)) == (7, 7)

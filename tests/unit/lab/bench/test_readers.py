"""What the benchmark reads: redis-benchmark's report, the proxies' counters, a task's configuration."""

import pytest

from lab.bench.load.connections import message_bytes
from lab.bench.load.redis_benchmark import Result, combine, parse
from lab.bench.load.sampling import count_bytes
from lab.bench.load.tuning import TRIALS, Trial, edit_config
from lab.errors import LabError
from nodeway.haproxy.render import HaproxySpec, render

# redis-benchmark 7.0.15: -c 8 -P 4 -n 20000 -r 100 --precision 3 GET key:__rand_int__
REPORT = """\
====== GET key:__rand_int__ ======
  20000 requests completed in 0.28 seconds
  8 parallel clients
  36 bytes payload
  keep alive: 1

Latency by percentile distribution:
0.000% <= 0.023 milliseconds (cumulative count 4)
50.000% <= 0.095 milliseconds (cumulative count 10380)
99.219% <= 7.431 milliseconds (cumulative count 19844)
99.805% <= 9.431 milliseconds (cumulative count 19964)
99.902% <= 17.119 milliseconds (cumulative count 19984)
100.000% <= 17.167 milliseconds (cumulative count 20000)

Cumulative distribution of latencies:
58.660% <= 0.103 milliseconds (cumulative count 11732)
99.900% <= 17.103 milliseconds (cumulative count 19980)
100.000% <= 18.111 milliseconds (cumulative count 20000)

Summary:
  throughput summary: 70921.98 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.323     0.016     0.095     0.887     7.335    17.167
"""
HAPROXY = """\
# TYPE haproxy_frontend_bytes_in_total counter
haproxy_frontend_bytes_in_total{proxy="redis"} 100
haproxy_frontend_bytes_in_total{proxy="ops"} 7
haproxy_frontend_bytes_out_total{proxy="redis"} 2000
haproxy_backend_bytes_in_total{proxy="node"} 100
haproxy_backend_bytes_out_total{proxy="node"} 2000
haproxy_server_bytes_out_total{proxy="node",server="node"} 2000
"""
ENVOY = """\
cluster.cache.upstream_cx_rx_bytes_total: 0
cluster.cache.upstream_cx_tx_bytes_total: 0
http.admin.downstream_cx_rx_bytes_total: 9
redis.bench.downstream_cx_rx_bytes_total: 90
redis.bench.downstream_cx_tx_bytes_total: 1900
"""
SPEC = HaproxySpec(
    client_cidrs=("10.0.0.0/16",), port=6379, memory_mib=512, grace_seconds=5, drain_seconds=60
)


def test_reads_throughput_and_latency_from_redis_benchmarks_own_report() -> None:
    assert parse(REPORT) == Result(70921.98, 0.095, 7.335, 17.119)
    with pytest.raises(LabError, match="Connection refused"):
        parse("Could not connect: Connection refused")


def test_runs_side_by_side_last_until_the_last_is_done() -> None:
    """1,000 requests each: one needs 1 s, the other 2 s."""
    fast, slow = Result(1000.0, 1.0, 2.0, 4.0), Result(500.0, 3.0, 4.0, 6.0)

    assert combine([fast, slow], 1000) == Result(1000.0, 2.0, 3.0, 5.0)


@pytest.mark.parametrize(("text", "kind"), [(HAPROXY, "haproxy"), (ENVOY, "envoy")])
def test_counts_the_bytes_of_both_sides_and_of_nothing_else(text: str, kind: str) -> None:
    assert count_bytes(text, kind) == {"haproxy": 4200, "envoy": 3980}[kind]


def test_knows_how_long_a_message_is() -> None:
    told = "*3\r\n$8\r\nsmessage\r\n$3\r\nabc\r\n$5\r\nxxxxx\r\n"

    assert message_bytes("abc", 5) == len(told)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_every_trial_finds_its_place_in_the_deployed_configuration(trial: Trial) -> None:
    text = render(SPEC)

    changed = edit_config(text, trial)

    assert (changed != text) == bool(trial.edits)
    assert set(text.splitlines()) - set(changed.splitlines()) <= {
        line for old in trial.edits for line in old.splitlines()
    }


def test_a_trial_that_finds_no_place_is_an_error() -> None:
    with pytest.raises(LabError, match="nbthread 9"):
        edit_config(render(SPEC), Trial("x", {"nbthread 9": "nbthread 1"}))

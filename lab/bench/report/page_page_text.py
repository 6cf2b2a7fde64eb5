"""The words of docs/performance.md that no figure changes."""

HEAD = """\
# What a HAProxy per node costs

Written by `make bench` from `docs/performance.json`. Every figure is a **ratio to a client that goes straight to the
node**, measured in the same round on the same machine: absolute figures of a small shared machine mean little, and
none of them is a promise for AWS.
"""

WHY = """\
What is wished for and not met has two reasons. **Envoy puts the requests of many connections into one to the
node**, so when dozens of them ask at once without pipelining, node and proxy send and decrypt fewer, larger pieces;
a pass-through carries each request by itself, and here its three processes share two cores with everybody else, so
each finds less to do when it wakes (the same HAProxy as one process, by SNI, takes Envoy's CPU). With one request
at a time, with pipelining, with large values there is nothing to join, and HAProxy is ahead. **Envoy ends TLS
itself**, so a new connection costs the node nothing, while a pass-through, the kernel's own forwarding too, leaves
each handshake to the node: that is what "TLS to the node itself" costs, once per connection.
"""

METHOD = """\
## How it is measured, and how to repeat it

```sh
make bench              # about ten minutes on two idle cores: build/bench/report.json, plots as PNG beside it
make bench ROUNDS=3     # shorter; this page stays as it is
make bench-tune         # what single changes of HAProxy's configuration give: build/bench/tuning.json
```

All parts are the lab's (`make lab`): networks of their own for client, proxies and nodes, a cluster with TLS, the
product deployed into a fake AWS. No root and no AWS account is needed. Where redis-server (7 or later, with TLS),
redis-benchmark and nft are not on PATH, a Debian machine's package manager fetches them, and they run from
`build/bench` without being installed.

- **direct**: client to node. **direct again** is the same once more: how far it is from 1 is the noise of the run.
- Each leg (client to node, client to proxy, proxy to node) is one virtual cable of its own. The lab's router and bridge
  are not in it: their work would be done, and counted, in the time of whoever sends.
- **kernel forwarding**: a container for each node in the proxy VPC in which nftables rewrites the addresses and the
  kernel forwards. What any hop costs at the least; with TLS from end to end nothing can be cheaper.
- **HAProxy per node**: the very tasks that `cdk deploy` made, with their configuration, unchanged.
- **HAProxy by SNI**: one HAProxy for all nodes that routes by the name in the TLS hello. Many clients send none.
- **Envoy**: `redis_proxy` with `envoy.clusters.redis`, one worker (`--concurrency 1`, as HAProxy has one thread), TLS
  on both sides with the same certificate, upstream verified, redirection on, writes not batched (its default; the
  tuning table has it with 1024 bytes and 3 ms).

Rounds: {rounds}. In each one, each load runs over every way before the next load begins, and another way is first each
time. The number of requests is found once so that the load takes about 1.2 s directly, and is the same for every way.
Client, proxy and node share the machine's cores, and the fake AWS sleeps while it measures.

- **requests/s, p50, p99, p99.9**: redis-benchmark, one thread, in the client's network, reads of 64 bytes unless the
  load says else. "Over all shards": one for each of the three shards at once, each with a third of the connections;
  the requests of all until the last is done, and the mean of their percentiles. HAProxy is three processes then, one
  for each node, Envoy one for all. The fan-out counts messages that reached a subscriber, from the first byte to the
  last. Set-up is measured by a program of our own, from the first packet to the answer: redis-benchmark leaves Nagle's
  algorithm on, which real clients switch off, and Envoy would wait 40 ms for each connection. Its latencies come in
  steps of 8 us, so for one request at a time the ratio of requests/s is the finer figure.
- **CPU us**: what the scheduler counted for all threads of the proxy's process over the run, for a request. Work that
  the kernel does for packets is counted for whom it interrupts, so kernel forwarding has no figure.
- **bytes copied**: what came in and went out by the proxy's own counters, on both of its sides: each of these bytes is
  copied once between kernel and process. HAProxy counts TLS records as they are. Envoy counts what is inside of them,
  and on its clients' side only, so it is taken twice; its copies to decrypt and to encrypt are not in the figure. The
  kernel's forwarding copies none to a process.
- **KiB a connection**: the proxy's private memory (`smaps_rollup`) with 1,000 more connections, less that before the
  first of them came; in the first round only, as a proxy keeps what it once had. The kernel's memory for sockets is
  not in it.
"""

TUNING = """\
## What was tried

Copies of the deployed task with one change each (rounds: {rounds}). Requests a second as a ratio to the mean of two
unchanged copies, with the proxy's CPU for a request. The two copies themselves show the noise.

There is not much left to take away: `strace` shows one receive and one send for each request and for each answer,
which is the least for a relay, and one wait for dozens of them. The rest is the kernel's, sending. What gains no
more than two unchanged copies differ from each other stays out of the template: larger buffers save CPU for large
values only, and cost each connection their memory. 0.25 vCPU is a limit for each of the three processes.
"""

NOT_SAID = """\
## What it does not say about AWS

- **No network.** Packets go through virtual cables (veth) of one kernel. On AWS a hop through another zone costs
  0.5 ms to 1 ms, far more than any proxy here; keep a HAProxy in its node's zone.
- **Shared cores.** Client, proxy and node compete for the same ones, so throughput under saturation says how much CPU
  a way takes, not what a proxy on its own cores carries. CPU for a request is the figure to size a task with.
- **Fargate.** A task of 0.25 vCPU is a quarter of a core in turns of 100 ms (tried above where this machine lets a
  CPU limit be made); its kernel, its network card and its neighbours are not here.
- **ElastiCache.** The node is Redis with TLS in one process; ElastiCache has I/O threads and another certificate
  chain, so its nodes take more load, and a handshake costs something else.
- **Writes** are not measured: their cost is the node's and its replica's, the proxy's is that of as many bytes.
"""

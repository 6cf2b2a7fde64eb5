"""The tuning's trials: copies of the deployed HAProxy's task with one change each."""

import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.bench.load.profiles import LARGE_VALUES, LOADS, PIPELINED, SATURATED, UNLOADED
from lab.bench.setup.testbed import Shard, Testbed
from lab.bench.setup.variants import HAPROXY_IMAGE, ProxyContainers, Variant
from lab.errors import LabError
from nodeway.haproxy.render import START_COMMAND

COPY, COPY_AGAIN, QUARTER = "as deployed", "as deployed, again", "0.25 vCPU"
TUNED_LOADS = tuple(
    load for load in LOADS if load.name in (UNLOADED, SATURATED, PIPELINED, LARGE_VALUES)
)
ONE_THREAD = "    nbthread 1\n"
LOG = "    log stdout format raw local0 notice\n"
ABNORMAL_ONLY = "    option dontlog-normal\n"
LOG_GLOBAL = "    log global\n"
CGROUPS = Path("/sys/fs/cgroup")
GROUP = "nodeway-bench"
PERIOD_US, QUOTA_US = 100_000, 25_000


@dataclass(frozen=True, slots=True)
class Trial:
    """A change of the configuration's text (old to new), of the network's settings, or of the CPU."""

    name: str
    edits: Mapping[str, str] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    quarter: bool = False
    spins: bool = False
    """Takes a core even when idle, so it is stopped while others are measured."""


def _with_global(*lines: str) -> dict[str, str]:
    """The edit that adds lines to the section `global`."""
    return {ONE_THREAD: ONE_THREAD + "".join(f"    {line}\n" for line in lines)}


TRIALS = (
    Trial(COPY),
    Trial("2 threads", {ONE_THREAD: "    nbthread 2\n"}),
    Trial("tune.bufsize 8192", _with_global("tune.bufsize 8192")),
    Trial("tune.bufsize 65536", _with_global("tune.bufsize 65536")),
    Trial(
        "option splice-auto",
        {
            LOG_GLOBAL: f"{LOG_GLOBAL}    option splice-auto\n",
            # a quarter of maxconn else, two descriptors each: more than this machine may allow
            **_with_global("maxpipes 200"),
        },
    ),
    Trial("busy-polling", _with_global("busy-polling"), spins=True),
    Trial("a log line per session", {LOG: LOG.replace("notice", "info"), ABNORMAL_ONLY: ""}),
    Trial(COPY_AGAIN),
    Trial(
        "tune.fd.edge-triggered on",
        _with_global("expose-experimental-directives", "tune.fd.edge-triggered on"),
    ),
    Trial("net.ipv4.tcp_autocorking = 0", sysctls={"net/ipv4/tcp_autocorking": "0"}),
    Trial("net.ipv4.tcp_notsent_lowat = 16384", sysctls={"net/ipv4/tcp_notsent_lowat": "16384"}),
    Trial(QUARTER, quarter=True),
)


def start(starter: ProxyContainers, testbed: Testbed, trial: Trial) -> Variant | str:
    """Starts copies of the deployed tasks with the change; gives a reason when this machine cannot. Raises LabError."""
    started = [_copy(starter, shard, trial) for shard in testbed.shards]
    for _, pid in started:
        if why := _configure_kernel(pid, trial):
            return why
    addresses, pids = zip(*started, strict=True)
    return Variant(trial.name, addresses, pids, "haproxy", spins=trial.spins)


def _copy(starter: ProxyContainers, shard: Shard, trial: Trial) -> tuple[str, int]:
    variables = deployed_environment(shard.haproxy.pid)
    variables["HAPROXY_CFG"] = edit_config(variables["HAPROXY_CFG"], trial)
    return starter.start("trial", HAPROXY_IMAGE, START_COMMAND, variables)


def _configure_kernel(pid: int, trial: Trial) -> str:
    """Makes the kernel's part of the change; gives the reason when it cannot, else nothing."""
    for name, value in trial.sysctls.items():
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]
        set_it = ["sh", "-c", f"echo {value} > /proc/sys/{name}"]
        done = subprocess.run([*inside, *set_it], capture_output=True, check=False)
        if done.returncode != 0:
            return "this kernel keeps the setting out of network namespaces"
    return limit_cpu(pid) if trial.quarter else ""


def deployed_environment(pid: int) -> dict[str, str]:
    """The environment variables of the deployed HAProxy's task definition."""
    words = Path(f"/proc/{pid}/environ").read_bytes().decode().rstrip("\0").split("\0")
    found = dict(word.partition("=")[::2] for word in words)
    return {name: value for name, value in found.items() if re.match("NODE_|HAPROXY_", name)}


def edit_config(text: str, trial: Trial) -> str:
    """The configuration with the change; raises LabError unless the text to replace is there exactly once."""
    for old, new in trial.edits.items():
        if (places := text.count(old)) != 1:
            raise LabError(f"{trial.name}: {old.strip()!r} is {places} times in the configuration")
        text = text.replace(old, new)
    return text


def limit_cpu(pid: int) -> str:
    """Limits a process to a quarter of a core, as 0.25 vCPU of Fargate; gives the reason when it cannot."""
    group, limits = CGROUPS / f"{GROUP}-{pid}", {"cpu.max": f"{QUOTA_US} {PERIOD_US}"}
    if (CGROUPS / "cpu").is_dir():
        group = CGROUPS / "cpu" / group.name
        limits = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(QUOTA_US)}
    try:
        group.mkdir(exist_ok=True)
        for name, value in (limits | {"cgroup.procs": str(pid)}).items():
            (group / name).write_text(value)
    except OSError as refused:
        return f"this user may make no CPU limit ({refused.strerror})"
    return ""


def remove_cpu_limits() -> None:
    """Removes the CPU limits, from outside of the sandbox and after its end."""
    for group in (*(CGROUPS / "cpu").glob(f"{GROUP}-*"), *CGROUPS.glob(f"{GROUP}-*")):
        with suppress(OSError):
            group.rmdir()

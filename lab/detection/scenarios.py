"""The probe's suite: every fault gets its verdict, and a cluster in order gets none but ok."""

import json

from lab.deployment import cdk as aws
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.detection.cost import probe_costs_little
from lab.detection.faults import FAULTS, inject
from lab.faults.certificates import expired_certificate
from lab.faults.expected_verdicts import ExpectedVerdicts
from lab.faults.secret import WRONG_PASSWORD
from lab.observe.steady_state import wait_until_steady
from lab.scenarios.scenario import Figures, expect, under_load
from lab.wait import wait_until
from nodeway_runtime.paths.report import Report, Row
from nodeway_runtime.paths.verdicts import Verdict

HEALTHY_RUNS = 10
MOST_RUNS = 2
"""The runs of the probe in which a fault must get its verdict."""


def healthy_paths_stay_ok(world: World) -> Figures:
    """A cluster in order under load: ten runs, and not one verdict but ok."""
    product = Product()
    if not product.stacks():
        aws.deploy()
    wait_until(lambda: not not_ok(product.probe()), timeout_seconds=60, what="a first run in order")
    reports: list[Report] = []
    with under_load(world, "probe") as load:
        for _ in range(HEALTHY_RUNS):
            reports.append(product.probe())
            load.wait_for_writes(100)
    false = [f"{name}: {verdict}" for one in reports for name, verdict in not_ok(one).items()]
    seen: Figures = {
        "runs": len(reports),
        "paths": len(reports[-1].rows),
        "false_verdicts": len(false),
        "false": false,
        "depth": sorted({one.depth for one in reports}),
        "notes": sorted({note for one in reports for note in one.notes}),
        "redirects_counted": all(row.moved is not None for row in reports[-1].rows if row.node_id),
        "slowest_run_seconds": max(one.seconds for one in reports),
        **load.figures,
    }
    expect(not false, "no verdict may be false", seen)
    expect(seen["depth"] == ["identity"], "every node must have been asked who it is", seen)
    expect(seen["redirects_counted"], "every node's redirects must be counted", seen)
    expect(seen["errors"] == 0, "the probe must not disturb a client", seen)
    return seen


def anomalies_are_seen(world: World) -> Figures:
    """Every fault for real: the probe names it within two runs, names nothing else, and calls all well afterwards."""
    product = Product()
    verdicts_by_fault: list[str] = []
    wrong: dict[str, list[str]] = {}
    for name, fault in FAULTS.items():
        with inject(fault, world) as expected:
            runs, report, contradictions = probe_until_named(product, expected)
        verdicts = sorted({row.verdict for row in report.rows} - {Verdict.OK})
        verdicts_by_fault.append(f"{name}: {' '.join(verdicts)} in run {runs}")
        after = not_ok(product.probe())
        found = contradictions + [f"afterwards {host}: {one}" for host, one in after.items()]
        if found:
            wrong[name] = found
    seen: Figures = {"faults": verdicts_by_fault, "wrong": wrong}
    expect(not wrong, "each fault must have its name, and nothing else one", seen)
    return seen


def refused_certificate_is_reported(world: World) -> Figures:
    """A HAProxy that took its node down for its certificate: the probe reads in its log that this is why."""
    product = Product()
    with expired_certificate(world) as expected:
        (name,) = expected.names

        def row() -> Row:
            return next(one for one in product.probe().rows if one.name == name)

        found = wait_until(
            lambda: one if (one := row()).verdict is Verdict.CERTIFICATE_REFUSED else None,
            timeout_seconds=60,
            what=f"the HAProxy of {name} to refuse the certificate, and the probe to say so",
        )
    wait_until_steady(world, product)
    seen: Figures = {"name": name, "detail": found.detail}
    expect("SSL handshake failure" in found.detail, "in HAProxy's own words", seen)
    return seen


def logs_hold_no_secret(world: World) -> Figures:
    """After all of it no log line of any function or task, and so no metric, holds the password or the wrong one."""
    logs = client("logs")
    login = json.loads((world.run_dir / "credentials.json").read_text())
    seen: Figures = {"lines": 0, "found": []}
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in (one["logGroupName"] for one in page["logGroups"]):
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            lines = [event["message"] for found in events for event in found["events"]]
            seen["lines"] += len(lines)
            secrets = (login["password"], WRONG_PASSWORD)
            leaks = [one for one in lines if any(secret in one for secret in secrets)]
            seen["found"] += [f"{group}: {one[:200]}" for one in leaks]
    expect(seen["lines"], "there must be lines to look at", seen)
    expect(not seen["found"], "no line may hold a password", seen)
    return seen


def probe_until_named(
    product: Product, expected: ExpectedVerdicts
) -> tuple[int, Report, list[str]]:
    """Runs the probe until its verdicts are as expected, at most MOST_RUNS times.

    Gives the number of runs, the last report, and what contradicts the expectation in it.
    """
    runs = 0
    while True:
        runs += 1
        report = product.probe()
        contradictions = expected.contradictions({row.name: row.verdict for row in report.rows})
        if not contradictions or runs == MOST_RUNS:
            return runs, report, contradictions


def not_ok(report: Report) -> dict[str, str]:
    """Verdict and detail of each name whose verdict is not ok."""
    return {
        row.name: f"{row.verdict} {row.detail}"
        for row in report.rows
        if row.verdict is not Verdict.OK
    }


SUITE = (
    healthy_paths_stay_ok,
    anomalies_are_seen,
    refused_certificate_is_reported,
    probe_costs_little,
    logs_hold_no_secret,
)
"""Runs on a deployed product."""

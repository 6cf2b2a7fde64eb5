"""A failover under load, the same in every access mode."""

from lab.deployment.modes import AccessMode
from lab.deployment.world import World
from lab.scenarios.scenario import Figures, expect, under_load


def fail_over(world: World, mode: AccessMode, shard: str) -> Figures:
    """Kill a primary, restart it after its replica took over, and fail back gracefully, while a client writes."""
    with under_load(world, f"failover-{mode}", mode=mode) as load:
        killed = world.cluster.kill_primary(shard)
        new = world.cluster.wait_for_primary(shard, other_than=killed)
        load.wait_for_each_thread(200)
        world.cluster.restart_node(killed)
        back = world.cluster.failover(shard)
        load.wait_for_each_thread(200)
    seen: Figures = {
        "killed": killed,
        "new_primary": new,
        "graceful_failover_to": back,
        **load.figures,
    }
    expect(
        seen["lost_acknowledged"] <= seen["acknowledged"] // 100,
        "Redis may lose little on a failover",
        seen,
    )
    return seen

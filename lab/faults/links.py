"""A link that goes down and comes back, again and again. It must never leave it down."""

from dataclasses import dataclass

from pyroute2 import IPRoute

from lab.faults.links_lasting import lasting

DOWN_SECONDS = 1.0
UP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Link:
    """An interface of the router."""

    name: str

    def flap(self, times: int) -> None:
        """Down for a second, up for two, so many times."""
        for _ in range(times):
            self._set("down")
            try:
                lasting(DOWN_SECONDS)
            finally:
                self._set("up")
            lasting(UP_SECONDS)

    def _set(self, state: str) -> None:
        with IPRoute() as route:
            route.link("set", index=route.link_lookup(ifname=self.name)[0], state=state)

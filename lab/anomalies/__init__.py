"""What the probe must see: each fault for real, with the verdict that it must get, and healed again.

It must never tell the probe anything: what it sees are the zone, the network, the nodes and AWS's own answers.
"""

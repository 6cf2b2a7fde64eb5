"""The lab in a browser: the live map, a load's throughput, what happened, and buttons for faults.

The web server runs outside of the sandbox, on this machine's loopback only; what it shows comes from inside.
"""

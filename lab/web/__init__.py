"""The lab in a browser: a live map, the throughput of a load, events, and buttons for faults.

The web server runs outside of the sandbox, on this machine's loopback only; its data comes from lab.web.agent inside.
"""

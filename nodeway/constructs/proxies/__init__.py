"""The proxies of a cluster, in each of their modes."""

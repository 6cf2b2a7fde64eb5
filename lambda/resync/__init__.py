"""Keeps the records of a private hosted zone true to an ElastiCache topology and its HAProxies.

The files are the stages, in this order: `source` reads, `desired` decides what should be there, `plan` compares,
`guard` refuses what could hurt, `apply` writes, `journal` tells. `sync` is the program; `handler` is its Lambda entry.
"""

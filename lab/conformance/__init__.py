"""Real clients at pinned versions, each way, one list of behaviours: `python -m lab.conformance`.

clients (client.json) → building → inside: programs and events, way by way → answers → verdicts → report, page.
"""

"""Real clients at pinned versions, in every access mode, one list of behaviours: `python -m lab.conformance`.

clients/ has their programs; suite/ what is known of them and what is expected; run/ runs the programs in the sandbox;
report/ writes the report and docs/clients.md.
"""

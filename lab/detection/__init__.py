"""The probe against real faults: each gets its verdict, none is false, and a run is cheap."""

"""The probe of a cluster: functions in the client VPCs, and their coordinator."""

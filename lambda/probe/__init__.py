"""The probe: walks every name's path from a client's network, and says what is wrong with it and what to do."""

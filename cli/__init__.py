"""`nodeway`: the one command for people."""

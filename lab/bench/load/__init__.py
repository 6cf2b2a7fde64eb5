"""The loads, the programs that make them, and the rounds that run them."""

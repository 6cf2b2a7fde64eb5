"""Client programs of the lab and of the sandbox. They import nothing else of this repository."""

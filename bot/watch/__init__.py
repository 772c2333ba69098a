"""Reading the watched channels completely: who is watched, what is to be read next, and reading it."""

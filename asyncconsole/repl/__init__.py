"""Python statements, run inside the program's own event loop, one console session each."""

"""One file per command: options to a query on a snapshot to a result."""

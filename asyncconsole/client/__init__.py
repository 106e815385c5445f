"""The command line and the clients behind it; they run in the person's own process."""

"""Side thread, transports, sessions, access, limits, discovery."""

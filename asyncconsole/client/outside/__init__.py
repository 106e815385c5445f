"""Looking at a program from another process: what it does when it does not answer."""

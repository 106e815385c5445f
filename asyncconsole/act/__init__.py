"""What changes the program. Everything else only reads it."""

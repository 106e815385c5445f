"""Commands that the program, or a library of it, adds to the console."""

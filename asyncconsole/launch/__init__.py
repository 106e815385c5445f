"""Running programs with the console on."""

"""The suite; imported before anything that copies the environment."""

import os

os.environ.pop("COLUMNS", None)  # xdist sets it for its workers, and clients would wrap by it

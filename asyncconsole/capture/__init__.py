"""The only code that touches live loops, frames and private attributes; makes snapshots."""

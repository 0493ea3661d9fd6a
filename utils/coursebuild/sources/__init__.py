"""What authors write: what belongs together, and what is wrong with it at the door."""

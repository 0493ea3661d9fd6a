"""Compare what the text of a lesson states with what autograd computes."""

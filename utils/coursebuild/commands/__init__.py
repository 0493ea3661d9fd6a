"""What an author can say: each command of the Makefile is a module."""

"""Run each lesson in a process of its own, and remember what it put out."""

"""What the course's lessons and pages say, read once for all tests of a process."""

from pathlib import Path

from coursebuild.sources.reading import read_lessons

__all__ = ["LESSONS", "ROOT"]

ROOT = Path(__file__).parents[1]
LESSONS = [*read_lessons(ROOT)]

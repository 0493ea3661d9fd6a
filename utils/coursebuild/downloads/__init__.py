"""What a reader takes away: the wheel, zips and notebooks."""

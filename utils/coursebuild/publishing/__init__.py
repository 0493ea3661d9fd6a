"""From a built folder to a published site: last repairs, last checks, one step."""

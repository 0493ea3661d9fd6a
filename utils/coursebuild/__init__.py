"""Make the site: its pages, its checks, its commands."""

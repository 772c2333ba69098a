"""Which version this is, as pyproject.toml says it too: an image holds the package and not its metadata."""

VERSION = "0.1.0"

"""What is told on time: bundles of what was held, and digests."""

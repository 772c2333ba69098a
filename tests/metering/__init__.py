"""Tests of what the metrics say."""

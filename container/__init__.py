"""Proofs of the image: built for real, run as compose.yaml says, against a loopback server. ``make container-test``."""

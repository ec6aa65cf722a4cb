"""Publish a release."""

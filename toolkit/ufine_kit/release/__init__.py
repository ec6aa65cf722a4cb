"""Join what was made into a release."""

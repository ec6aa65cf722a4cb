"""The baseline that validates a release: a CLIP-type model trained on its train split and measured on its test split."""

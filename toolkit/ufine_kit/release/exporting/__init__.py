"""A release in the forms that other people's code reads, picture bytes as they are, with the way back to stable ids."""

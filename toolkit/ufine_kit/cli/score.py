"""`ufine-kit score`: the metrics for anyone's model, from arrays alone."""

"""`ufine-kit world`: a synthetic world with known answers, for proof and for the demo."""

"""Which crops are kept, and why the others are not."""

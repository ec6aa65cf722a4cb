"""What each kind of campaign asks: one module a kind, from what lies in the work folder to items."""

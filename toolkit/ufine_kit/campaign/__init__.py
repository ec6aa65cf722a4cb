"""Descriptions by people: into a ledger, then frozen into parts."""

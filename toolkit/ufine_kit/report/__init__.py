"""What people look at: one page that needs nothing else."""

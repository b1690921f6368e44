"""What a data folder holds: which reader fits it, and what that reader makes of it."""

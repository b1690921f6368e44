"""The stages that need no network: each reads predictions and tables, and writes results and tables."""

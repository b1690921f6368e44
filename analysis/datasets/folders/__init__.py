"""The files and folders of a dataset, and what the names of folders say."""

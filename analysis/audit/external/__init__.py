"""The external test: trained networks on labelled images of another source, on which nothing is trained or chosen."""

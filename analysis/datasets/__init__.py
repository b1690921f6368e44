"""Readers, one per dataset layout, image decoding and the generated sample."""

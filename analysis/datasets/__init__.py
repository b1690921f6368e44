"""Readers, one module per dataset layout, and the rooms that they share: archives, folders, images, tables and so on."""

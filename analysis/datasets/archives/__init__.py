"""Datasets as they are downloaded: zip and tar archives."""

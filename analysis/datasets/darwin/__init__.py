"""Darwin JSON, the annotations that V7 exports, and the image that each of them is about."""

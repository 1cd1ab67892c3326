"""Pictures of results: drawn with matplotlib (the extra `pictures`)."""

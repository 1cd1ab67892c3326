"""How good a segmenter is: protocols, metrics, baselines and the report."""

"""The engine in a process of its own: `client` belongs to Slicer's process, `server` to the worker's."""

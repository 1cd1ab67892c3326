"""MRML in and out: real nodes of a scene that is given, never Slicer's own globals, Qt or torch.

Entrances: `scans.read_scan` and `scans.scan_key` (a volume node becomes a Volume), `painting.find_painting` (what is
painted, slice by slice), `preview.Preview` (the result while it grows), `applying.apply_preview` and
`applying.keep_result` (what becomes of it), `editor.LogicEditor` (the Segment Editor without a window),
`sequences.sequence_scans` and `sequences.SequenceResults`, `display` (3D, confidence overlay, jumping to slices),
`places` (slices and positions in world), `sample.load_sample`. All raise `errors.SceneError` with a sentence for the
person at the screen.
"""

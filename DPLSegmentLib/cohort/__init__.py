"""Many scans: batches on this computer and on a cluster, and DICOM in and out."""

"""Many client certificates from one file: read and judged before anything is issued, issued in chunks, gone on with."""

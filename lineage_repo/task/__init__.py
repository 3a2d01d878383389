"""Task folders: find, read, fetch, check and size them."""

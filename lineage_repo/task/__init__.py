"""Task folders: how they are found, read, fetched and weighed."""

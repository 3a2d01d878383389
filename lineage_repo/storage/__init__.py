"""What lies on disk: git, files, locks. The only room that runs git."""

"""What a lineage's trials show together. Each record's docstring has its definition; nothing here writes."""

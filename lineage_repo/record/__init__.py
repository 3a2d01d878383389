"""The record of one campaign: the ledger, read into a lineage and written by it."""

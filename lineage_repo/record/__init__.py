"""The record of one campaign: the ledger, folded into a lineage."""

"""The report: one offline page about a campaign, or about several side by side. Everything here reads."""

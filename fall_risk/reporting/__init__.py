"""The clinic's report: counted in PostgreSQL, small groups hidden, handed out as page, CSV, PDF and stored row."""

"""Three months of the whole service in less than an hour: what it keeps, what it tells, and what it needs for that."""

"""Values as the rows of a database, and back: the same for each store that has one."""

"""What the documentation demands of every kind of record set, and whether horizond answers that."""

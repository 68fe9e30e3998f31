"""A simulated OPC UA server, and what any such server can suffer."""

"""The Modbus side of a simulated plant: retrofit PLCs, temperature control units, gateways."""

"""What happens in a press and its mold: heat, water, pressures, times and how they scatter."""

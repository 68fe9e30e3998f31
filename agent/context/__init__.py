"""What no machine says of its shots, and people do: lots, boxes, part numbers, who stood there."""
